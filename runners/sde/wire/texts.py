"""The words of Django REST framework, as SD Elements answers them and its clients compare them."""

from __future__ import annotations

REQUIRED = "This field is required."
NULL = "This field may not be null."
BLANK = "This field may not be blank."
NOT_A_STRING = "Not a valid string."
NOT_AN_INTEGER = "A valid integer is required."
NOT_A_BOOLEAN = "Must be a valid boolean."
NOT_A_NUMBER = "Enter a number."
TOO_LARGE_A_NUMBER = "Ensure this value is less than or equal to 1e+50."
TOO_LONG_A_NUMBER = "String value too large."
NOT_JSON = "Value must be valid JSON."
NULL_CHARACTERS = "Null characters are not allowed."
NO_DATA = "No data provided"
NO_FILE = "No file was submitted."
NOT_A_FILE = "The submitted data was not a file. Check the encoding type on the form."
NO_FILE_NAME = "No filename could be determined."
EMPTY_FILE = "The submitted file is empty."

_LONGEST = 200


def not_a_choice(value: object) -> str:
    """A word that is none of those allowed."""
    return f'"{storable(_short(value))}" is not a valid choice.'


def no_object(key: object) -> str:
    """An id that nothing has."""
    return f'Invalid pk "{storable(_short(key))}" - object does not exist.'


def not_an_object(value: object) -> str:
    """Something else where an object with fields is wanted."""
    return f"Invalid data. Expected a dictionary, but got {type(value).__name__}."


def not_a_dictionary(value: object) -> str:
    """Something else where params are wanted."""
    return f'Expected a dictionary of items but got type "{type(value).__name__}".'


def half_character(char: str) -> str:
    """A surrogate that stands alone."""
    return f"Surrogate characters are not allowed: U+{ord(char):X}."


def storable(text: str) -> str:
    """`text` with NUL and half characters replaced, so that a ledger takes it and UTF-8 has it."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in text
    )


def _short(value: object) -> str:
    try:
        text = str(value)
    except RecursionError:
        return "…"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
