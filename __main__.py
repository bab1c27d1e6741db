"""`python -m phonehome`, of an installed package; in a checkout phonehome.py is run itself."""

from phonehome.cli import program

if __name__ == "__main__":
    program()
