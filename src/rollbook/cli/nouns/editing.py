"""``rollbook cluster edit``: a cluster in an editor, of which only what was changed is sent.

Theory: the difference goes out as a JSON Patch with the entity tag of what was read. When somebody else was faster
(412), both differences are compared: where they touch different places, ours is made to the new document; where they
touch, the editor opens again with both.

One rule: an edit is never lost. Whatever prevents it from being made, it stays in a file whose name is given.
"""

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from rollbook.cli.nouns.clusters import app
from rollbook.cli.nouns.declaring import option
from rollbook.cli.nouns.printing import Printer, as_yaml
from rollbook.cli.nouns.verbs import IdArgument, ReasonOption, id_of, read_document, verb
from rollbook.cli.terminal import say
from rollbook.errors import PreconditionFailed, RegistryError, RequestRefused, SettingRefused

if TYPE_CHECKING:
    from rollbook.client import Client, Reply

ROUNDS_MAX = 5
HEAD = "# Cluster {id}. Saving changes it; leave it as it is to change nothing.\n"


@verb(app, "edit")
def edit(
    client: "Client",
    printer: Printer,
    id: IdArgument,
    as_json: Annotated[bool, option("--json", help="Edit JSON instead of YAML.")] = False,
    reason: ReasonOption = None,
) -> None:
    """Edit a cluster in $VISUAL or $EDITOR.

    Only what differs is sent, if nobody else changed it meanwhile; otherwise both changes are merged where they touch
    different places, and the editor opens again where they do not.
    """
    read = client.clusters.read(id_of(client, id))
    id = str(read.document["id"])
    import tempfile  # which takes long to import

    handle, name = tempfile.mkstemp(suffix=".json" if as_json else ".yaml", prefix=f"rollbook-{_safe(id)}-")
    os.close(handle)
    path = Path(name)
    path.write_text(written := _written(read.document, [], as_json))
    try:
        reply = _edited(client, path, read, as_json, reason)
    except RegistryError:
        if path.read_bytes() == written.encode():
            path.unlink()
        else:
            say(f"your edit is in {path}")
        raise
    path.unlink()
    if reply is None:
        say(f"{id} unchanged")
    else:
        say(f"{id} changed")


def _edited(client: "Client", path: Path, read: "Reply", as_json: bool, reason: str | None) -> "Reply | None":
    """Edit the file and send the difference, until it is made; None when there is none."""
    from rollbook.client.differences import json_patch

    id = read.document["id"]
    for _ in range(ROUNDS_MAX):
        _open_editor(path)
        wanted = read_document(str(path))
        if not isinstance(wanted, dict):
            raise RequestRefused("what was saved is no document")
        patch = json_patch(read.document, wanted)
        while patch:
            try:
                return client.clusters.patch(id, patch, if_match=read.etag, reason=reason)
            except PreconditionFailed:
                now = client.clusters.read(id)
            theirs = json_patch(read.document, now.document)
            touching = [each for each in patch if any(_touch(each["path"], other["path"]) for other in theirs)]
            read, apart = now, [each for each in patch if each not in touching]
            if touching:
                say(f"{id} was changed meanwhile, where your edit changes it: look again")
                path.write_text(_written(_patched(now.document, apart), touching, as_json))
                break
        else:
            return None
    raise PreconditionFailed(f"{id} was changed {ROUNDS_MAX} times while it was edited")


def _open_editor(path: Path) -> None:
    """Wait for the editor. Refuses (SettingRefused) one that can't be run or fails."""
    import shlex
    import subprocess  # which takes long to import

    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    former = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C in the editor is the editor's
    try:
        code = subprocess.run([*shlex.split(editor), str(path)]).returncode  # noqa: S603  (the person's own editor)
    except (OSError, ValueError) as error:
        raise SettingRefused(f"the editor {editor!r} can't be run (see $EDITOR): {error}") from None
    finally:
        signal.signal(signal.SIGINT, former)
    if code:
        raise SettingRefused(f"the editor {editor!r} ended with exit code {code}; nothing was changed")


def _written(document: Any, touching: list[dict[str, Any]], as_json: bool) -> str:
    """The file to edit: the document, and what our edit wanted where somebody else changed it too."""
    if as_json:
        for each in touching:
            say(f"yours at {each['path']}: {json.dumps(each.get('value'))}")
        return json.dumps(document, indent=2, ensure_ascii=True) + "\n"
    yours = "".join(
        f"# Yours at {each['path']}: "
        + (json.dumps(each["value"], ensure_ascii=True) if "value" in each else "removed")
        + "\n"
        for each in touching
    )
    note = "# Others changed these places meanwhile; below are their values.\n" if touching else ""
    return HEAD.format(id=json.dumps(document["id"])) + note + yours + as_yaml(document) + "\n"


def _touch(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _patched(document: Any, patch: Any) -> Any:
    from rollbook.documents.json_patches import parse_json_patch, patched

    return patched(document, parse_json_patch(patch))


def _safe(id: str) -> str:
    return "".join(each for each in id if each.isalnum() or each in "-_.")[:60]
