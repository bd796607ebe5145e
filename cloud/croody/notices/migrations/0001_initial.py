"""Rules, channels and notices."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0007_people_of_organisations'),
        ('alarms', '0008_handover'),
        ('fleet', '0006_what_its_team_says'),
    ]

    operations = [
        migrations.CreateModel(
            name='Channel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('kind', models.CharField(choices=[('mail', 'Mail'), ('webhook', 'Webhook'), ('apprise', 'Apprise')], max_length=16)),
                ('target', models.TextField()),
                ('secret', models.CharField(blank=True, max_length=64)),
                ('severity', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('critical', 'Critical')], max_length=16)),
                ('after_min', models.PositiveIntegerField(default=0)),
                ('quiet_from', models.CharField(blank=True, max_length=5)),
                ('quiet_to', models.CharField(blank=True, max_length=5)),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('language', models.CharField(default='es', max_length=8)),
                ('enabled', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField()),
                ('by_name', models.CharField(max_length=150)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('sent', 'Sent'), ('failed', 'Failed'), ('held', 'Held'), ('needless', 'Needless')], max_length=16)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('created_at', models.DateTimeField()),
                ('next_at', models.DateTimeField(null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('answer', models.CharField(blank=True, max_length=300)),
                ('alarm', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='alarms.alarm')),
                ('channel', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='notices.channel')),
            ],
        ),
        migrations.CreateModel(
            name='Rule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('kind', models.CharField(choices=[('threshold', 'Threshold'), ('absence', 'Absence'), ('rate', 'Rate'), ('expression', 'Expression'), ('fence', 'Fence')], max_length=16)),
                ('params', models.JSONField(default=dict)),
                ('severity', models.CharField(choices=[('low', 'Low'), ('medium', 'Medium'), ('high', 'High'), ('critical', 'Critical')], max_length=16)),
                ('for_s', models.PositiveIntegerField(default=0)),
                ('robot_id', models.CharField(blank=True, max_length=64)),
                ('enabled', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField()),
                ('by_name', models.CharField(max_length=150)),
                ('judged_at', models.DateTimeField(null=True)),
                ('judged', models.PositiveIntegerField(default=0)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.organisation')),
                ('site', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='fleet.site')),
            ],
        ),
        migrations.CreateModel(
            name='RuleState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('robot_id', models.CharField(max_length=64)),
                ('since', models.DateTimeField(null=True)),
                ('firing', models.BooleanField(default=False)),
                ('anchor_at', models.DateTimeField(null=True)),
                ('anchor', models.FloatField(null=True)),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='states', to='notices.rule')),
            ],
        ),
        migrations.AddIndex(
            model_name='channel',
            index=models.Index(fields=['organisation', 'id'], name='notices_cha_organis_3b7a1d_idx'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('status', 'pending')), fields=['next_at'], name='notice_pending'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(fields=['channel', '-id'], name='notice_of_channel'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(fields=['created_at'], name='notice_by_age'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('channel', 'alarm'), name='one_notice_an_alarm_and_channel'),
        ),
        migrations.AddIndex(
            model_name='rule',
            index=models.Index(fields=['organisation', 'id'], name='notices_rul_organis_ff875a_idx'),
        ),
        migrations.AddConstraint(
            model_name='rulestate',
            constraint=models.UniqueConstraint(fields=('rule', 'robot_id'), name='one_state_a_rule_and_robot'),
        ),
    ]
