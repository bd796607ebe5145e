"""Django's rules for passwords, in Croody's words: what breaks which rule, and what to do. Knows no rule of its own."""

from django.contrib.auth import password_validation as django_rules
from django.utils.translation import gettext as _


class Length(django_rules.MinimumLengthValidator):
    """`min_length` characters or more."""

    def get_error_message(self) -> str:
        """Names the least."""
        return _("Es corta: escribe %(least)s caracteres o más.") % {"least": self.min_length}


class Similarity(django_rules.UserAttributeSimilarityValidator):
    """Not like the person's own name."""

    def get_error_message(self) -> str:
        """Names the likeness."""
        return _("Se parece demasiado a tu nombre: elige otra.")


class Common(django_rules.CommonPasswordValidator):
    """None of the 20,000 that are used most."""

    def get_error_message(self) -> str:
        """Says so."""
        return _("Es de las más usadas: elige otra.")


class Numeric(django_rules.NumericPasswordValidator):
    """Not of figures alone."""

    def get_error_message(self) -> str:
        """Says what is missing."""
        return _("Tiene solo números: agrega letras.")
