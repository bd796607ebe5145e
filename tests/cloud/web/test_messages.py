"""Every string of the cloud has its English."""

import polib

from tools import messages


def test_no_string_lacks_its_english():
    po = polib.pofile(str(messages.PO))
    known = {messages.Message(entry.msgid, entry.msgid_plural, entry.msgctxt or "") for entry in po}
    assert set(messages.messages()) - known == set(), "run python -m tools.messages and translate what it lists"
    assert messages.untranslated(po) == []


def test_nothing_is_translated_that_nobody_asks_for():
    po = polib.pofile(str(messages.PO))
    wanted = set(messages.messages())
    assert [entry.msgid for entry in po if messages.Message(entry.msgid, entry.msgid_plural, entry.msgctxt or "") not in wanted] == []


def test_what_is_read_at_run_time_is_what_the_catalogue_says():
    compiled = {entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in polib.mofile(str(messages.PO.with_suffix(".mo")))}
    written = {entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in polib.pofile(str(messages.PO))}
    assert compiled == written, "run python -m tools.messages"


def test_placeholders_survive_translation():
    import re

    names = re.compile(r"%\((\w+)\)s")
    for entry in polib.pofile(str(messages.PO)):
        # One may be said without its number: each form has the names of its own.
        forms = entry.msgstr_plural
        pairs = [(entry.msgid, entry.msgstr), (entry.msgid, forms.get(0, "")), (entry.msgid_plural, forms.get(1, ""))]
        for spanish, english in pairs:
            if english:
                assert set(names.findall(english)) == set(names.findall(spanish)), entry.msgid


def test_a_template_and_a_call_are_both_read():
    template = "{% load i18n %}{% blocktranslate count count=n %}{{ count }} sitio{% plural %}{{ count }} sitios{% endblocktranslate %}"
    assert list(messages.of_template(template)) == [messages.Message("%(count)s sitio", "%(count)s sitios")]
    source = '_("a"); ngettext("b", "c", n); pgettext_lazy("ctx", "d"); _(name)'
    assert list(messages.of_python(source)) == [messages.Message("a"), messages.Message("b", "c"), messages.Message("d", context="ctx")]
