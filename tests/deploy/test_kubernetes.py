"""The manifests are what Kubernetes takes: built with kustomize, and held against the schemas that it publishes."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from rollbook.security.configuration import parse_configuration
from rollbook.security.issuers import subject_of

ROOT = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSIONS = ["1.29", "1.33"]
DIRECTORIES = ["base", "overlays/replace-original", "overlays/postgresql", "overlays/service-accounts"]
SELECTED = {"app.kubernetes.io/name": "rollbook"}
NOT_OF_KUBERNETES = {"ServiceMonitor"}
"""Kinds of operators, of which Kubernetes publishes no schema."""

pytestmark = pytest.mark.skipif(
    not (shutil.which("kubectl") or shutil.which("kustomize")), reason="neither kubectl nor kustomize is installed"
)


def built(name: str) -> list[dict[str, Any]]:
    """The manifests that kustomize makes of a directory."""
    command = ["kustomize", "build"] if shutil.which("kustomize") else ["kubectl", "kustomize"]
    made = subprocess.run([*command, str(ROOT / name)], capture_output=True, text=True, check=True)
    return [each for each in yaml.safe_load_all(made.stdout) if each]


def one(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [each for each in manifests if each["kind"] == kind]
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", DIRECTORIES)
def test_the_manifests_fit_the_published_schemas(name: str, version: str) -> None:
    manifests = built(name)

    assert manifests
    for manifest in manifests:
        if manifest["kind"] not in NOT_OF_KUBERNETES:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_a_misspelt_member_would_be_found() -> None:
    manifest = one(built("base"), "StatefulSet")
    manifest["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, VERSIONS[0], strict=True)


def test_the_service_of_the_original_is_replaced_in_place() -> None:
    manifests = built("overlays/replace-original")
    service = one(manifests, "Service")

    assert (service["metadata"]["name"], service["metadata"]["namespace"]) == ("clusters-db-service", "registries")
    assert [(port["port"], port["nodePort"]) for port in service["spec"]["ports"]] == [(3000, 30101)]
    assert one(manifests, "StatefulSet")["spec"]["serviceName"] == "clusters-db-service"
    assert (
        service["spec"]["selector"].items()
        <= one(manifests, "StatefulSet")["spec"]["template"]["metadata"]["labels"].items()
    )


def test_the_security_file_of_service_accounts_is_right(tmp_path: Path) -> None:
    maps = [each for each in built("overlays/service-accounts") if "security" in each["metadata"]["name"]]
    text = one(maps, "ConfigMap")
    said = text["data"]["security.toml"].replace("/run/secrets/kubernetes/ca.crt", str(tmp_path / "ca.crt"))
    (tmp_path / "ca.crt").touch()

    configuration = parse_configuration(said.encode())
    (issuer,) = configuration.issuers
    claims = {"sub": "system:serviceaccount:west:cluster-controller", "exp": 1, "kubernetes.io": {"namespace": "west"}}
    subject = subject_of(issuer, claims)
    assert (subject.roles, subject.facts) == (("controller",), {"clusters": ["west"]})


def test_three_processes_share_a_journal_in_postgresql() -> None:
    manifests = built("overlays/postgresql")
    deployment = one(manifests, "Deployment")["spec"]
    (container,) = deployment["template"]["spec"]["containers"]
    base = one(built("base"), "StatefulSet")["spec"]["template"]["spec"]["containers"][0]

    assert not [each for each in manifests if each["kind"] == "StatefulSet"]
    assert (deployment["replicas"], one(manifests, "PodDisruptionBudget")["spec"]["minAvailable"]) == (3, 2)
    journal = {"secretKeyRef": {"name": "rollbook-journal", "key": "url"}}
    assert {"name": "ROLLBOOK_JOURNAL", "valueFrom": journal} in container["env"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe] == base[probe]
    assert {volume["name"] for volume in deployment["template"]["spec"]["volumes"]} == {
        mount["name"] for mount in container["volumeMounts"]
    }
    egress = one(manifests, "NetworkPolicy")["spec"]["egress"]
    assert [rule["ports"][0]["port"] for rule in egress] == [53, 443, 5432]


@pytest.mark.parametrize("name", DIRECTORIES)
def test_what_selects_finds_the_pods_and_the_service_and_nothing_else_is_selected(name: str) -> None:
    manifests = built(name)
    kinds = {each["kind"]: each for each in manifests}
    workload = kinds.get("StatefulSet") or kinds["Deployment"]

    assert workload["spec"]["template"]["metadata"]["labels"] == SELECTED
    selectors = [workload["spec"]["selector"], kinds["NetworkPolicy"]["spec"]["podSelector"]]
    selectors += [
        kinds[kind]["spec"]["selector"] for kind in ("ServiceMonitor", "PodDisruptionBudget") if kind in kinds
    ]
    assert all(selector == {"matchLabels": SELECTED} for selector in selectors)
    assert kinds["Service"]["spec"]["selector"] == SELECTED
    assert kinds["Service"]["metadata"]["labels"] == SELECTED
    (names, *_) = kinds["NetworkPolicy"]["spec"]["egress"]
    assert names["to"][0]["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}


@pytest.mark.parametrize("name", DIRECTORIES)
def test_the_container_runs_without_privileges(name: str) -> None:
    kinds = {each["kind"]: each for each in built(name)}
    pod = (kinds.get("StatefulSet") or kinds["Deployment"])["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
