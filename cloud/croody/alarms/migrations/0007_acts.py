"""What persons do to alarms, and what they called false."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_sessions_by_hash'),
        ('alarms', '0006_over'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='alarm',
            name='acknowledged_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='alarm',
            name='assignee',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='alarm',
            name='false',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='alarm',
            name='revision',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='alarm',
            name='snoozed_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('cause', 'Cause'), ('robot', 'Robot'), ('team', 'Team')], max_length=8)),
                ('robot_id', models.CharField(blank=True, max_length=64)),
                ('kind', models.CharField(max_length=64)),
                ('key', models.CharField(blank=True, max_length=160)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('by_name', models.CharField(max_length=150)),
                ('hits', models.PositiveIntegerField(default=0)),
                ('last_hit_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.organisation')),
            ],
        ),
        migrations.AddField(
            model_name='alarm',
            name='suppressed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='held', to='alarms.suppression'),
        ),
        migrations.CreateModel(
            name='Act',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verb', models.CharField(choices=[('acknowledge', 'Acknowledge'), ('assign', 'Assign'), ('snooze', 'Snooze'), ('close', 'Close'), ('false', 'False'), ('comment', 'Comment'), ('reopen', 'Reopen')], max_length=16)),
                ('at', models.DateTimeField()),
                ('by_name', models.CharField(max_length=150)),
                ('said', models.JSONField(default=dict)),
                ('before', models.JSONField(default=dict)),
                ('revision', models.PositiveIntegerField()),
                ('undone_at', models.DateTimeField(null=True)),
                ('alarm', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='acts', to='alarms.alarm')),
                ('by', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['alarm', '-id'], name='alarms_act_alarm_i_4b78af_idx'), models.Index(fields=['-at'], name='alarms_act_at_0dbc38_idx')],
            },
        ),
        migrations.AddIndex(
            model_name='suppression',
            index=models.Index(fields=['kind', 'expires_at'], name='alarms_supp_kind_8dd212_idx'),
        ),
        migrations.AddIndex(
            model_name='suppression',
            index=models.Index(fields=['organisation', 'expires_at'], name='alarms_supp_organis_0891b6_idx'),
        ),
    ]
