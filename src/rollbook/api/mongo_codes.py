"""The names that MongoDB gives its error codes: returned beside the code."""

MONGO_CODE_NAMES = {
    2: "BadValue",
    9: "FailedToParse",
    14: "TypeMismatch",
    15: "Overflow",
    28: "PathNotViable",
    34: "CannotBackfillArray",
    40: "ConflictingUpdateOperators",
    50: "MaxTimeMSExpired",
    52: "DollarPrefixedFieldName",
    54: "NotSingleValueField",
    56: "EmptyFieldName",
    57: "DottedFieldName",
    66: "ImmutableField",
    72: "InvalidOptions",
    115: "CommandNotSupported",
    168: "InvalidPipelineOperator",
    224: "QueryFeatureNotAllowed",
    241: "ConversionFailure",
    10334: "BSONObjectTooLarge",
}


def mongo_code_name(code: int) -> str:
    """MongoDB's name for one of its error codes; codes without a name of their own are ``Location<code>``."""
    return MONGO_CODE_NAMES.get(code, f"Location{code}")
