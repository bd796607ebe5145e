#!/bin/sh
# The job `backup-folder`: the user of the backups may write where they go (docker-compose.yml says why).
set -eu
folder=/backups
group=10001
owner=$(stat -c %u "$folder")
case $owner in
  "${BACKUP_USER%%:*}") ;;
  0) chown "$BACKUP_USER" "$folder" && chmod 700 "$folder" ;;
  # Closed to all others; what is in it may be read by its owner (backup.sh).
  *) chgrp "$group" "$folder" && chmod 2770 "$folder" ;;
esac || echo "croody: the folder of the backups belongs to user $owner and cannot be opened to $BACKUP_USER: say in .env whose it is, BACKUP_USER=UID:GID"
