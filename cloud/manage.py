"""`python manage.py COMMAND`, as every Django site has it: the same as `croody COMMAND`."""

from croody.manage import main

if __name__ == "__main__":
    main()
