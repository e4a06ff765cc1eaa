"""Accumulators: what ``$group`` and the bucket stages compute of the documents of a group."""

from rollbook.language.pipelines.accumulators.fields import Field, Group, StartGroup, parse_fields, starting

__all__ = ["Field", "Group", "StartGroup", "parse_fields", "starting"]
