"""Which cluster is meant, and who asks: the rules of ``kubectl``.

The files of ``KUBECONFIG`` are merged, the first that gives a cluster, user or context of
some name wins, and so does the first that gives a current context. Relative paths are
relative to the file that names them. Without any file the service account of the pod that
this runs in is used.

lightkube has the types of a kubeconfig and makes a client of them; what it does not know
(several files, ``tls-server-name``, ``proxy-url``, impersonation) is added here.
Source: ``k8s.io/client-go/tools/clientcmd`` loader.go, client_config.go and validation.go.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from lightkube.config.kubeconfig import SERVICE_ACCOUNT
from lightkube.config.models import Cluster as KnownCluster
from lightkube.config.models import User as KnownUser
from lightkube.config.models import UserExec

from ringfence.errors import InputError, ManifestError
from ringfence.readers.yaml_spans import read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_FILE = "~/.kube/config"
"""Where kubectl keeps its configuration."""

IN_CLUSTER = "in-cluster"
"""The name that the context of a pod's own service account goes by."""


class Plugin(UserExec, omit_defaults=True):
    """A program that prints credentials."""

    provide_cluster_info: bool = msgspec.field(name="provideClusterInfo", default=False)
    interactive_mode: str = msgspec.field(name="interactiveMode", default="IfAvailable")


class User(KnownUser, omit_defaults=True):
    """Who asks."""

    exec: Plugin | None = None
    impersonate: str = msgspec.field(name="as", default="")
    impersonate_uid: str = msgspec.field(name="as-uid", default="")
    impersonate_groups: list[str] = msgspec.field(name="as-groups", default_factory=list)
    impersonate_extra: dict[str, list[str]] = msgspec.field(name="as-user-extra", default_factory=dict)


class Cluster(KnownCluster, omit_defaults=True):
    """Who is asked."""

    server: str = ""
    server_name: str = msgspec.field(name="tls-server-name", default="")
    proxy: str = msgspec.field(name="proxy-url", default="")
    extensions: list[dict[str, Any]] = msgspec.field(default_factory=list)


class Context(msgspec.Struct):
    """A cluster and a user under one name."""

    cluster: str = ""
    user: str = ""
    namespace: str = ""


_SHOWN = 3
"""Names that a hint offers where none comes near."""

_Named = TypeVar("_Named", Cluster, User, Context)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says of the cluster; empty where it says nothing.

    Attributes:
        kubeconfig: A file that is read alone.
        context: The context.
        cluster: The cluster, in place of the context's.
        user: The user, in place of the context's.
        token: A bearer token, in place of the user's credentials.
        impersonate: Whom to act as.
        groups: Groups to act as a member of.
        timeout_s: Seconds to wait for an answer; None for ever.
    """

    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    user: str = ""
    token: str = ""
    impersonate: str = ""
    groups: tuple[str, ...] = ()
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """A cluster, and who asks it.

    Attributes:
        context: The name of the context.
        namespace: Its namespace.
        cluster: The cluster; its paths are absolute.
        user: The user; likewise.
        timeout_s: Seconds to wait for an answer; None for ever.
        cluster_place: Where the cluster is written, as messages name it.
        user_place: Where the user is written, likewise.
    """

    context: str
    namespace: str
    cluster: Cluster
    user: User
    timeout_s: float | None = None
    cluster_place: str = IN_CLUSTER
    user_place: str = IN_CLUSTER

    @property
    def source(self) -> str:
        """The source of the origins of its objects."""
        return f"cluster:{self.context}"

    @property
    def is_secure(self) -> bool:
        """Whether what is sent can be read by the server alone; without that no credentials are sent."""
        return self.cluster.server.startswith("https://")


@dataclass(slots=True)
class _Config:
    """Kubeconfig files, merged."""

    clusters: dict[str, Cluster] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    contexts: dict[str, Context] = field(default_factory=dict)
    current: str = ""
    files: list[Path] = field(default_factory=list)
    places: dict[tuple[str, str], str] = field(default_factory=dict)

    def place(self, what: str, name: str) -> str:
        """Return where the ``cluster``, ``user`` or ``context`` of a name is written, as messages name it."""
        return self.places.get((what, name), ", ".join(map(str, self.files)))


def find_access(wanted: Wanted, environment: Mapping[str, str], service_account: str = SERVICE_ACCOUNT) -> Access:
    """Return the cluster that is meant, and who asks it.

    Args:
        wanted: What the command line says.
        environment: The variables of the process.
        service_account: Where a pod finds its own.

    Raises:
        InputError: there is no kubeconfig, or it does not say what is needed.
    """
    config = _merged(_files(wanted, environment))
    if not (config.clusters or config.users or config.contexts):
        found = None if wanted.kubeconfig else _in_cluster(environment, Path(service_account))
        if found is None:
            missing = _missing(wanted, environment)
            message = f"no manifests and no cluster: there is no kubeconfig{missing and f' at {missing}'}"
            raise InputError(message, "give manifests with -f, or a kubeconfig with --kubeconfig or KUBECONFIG")
        return _with_flags(found, wanted)
    return _with_flags(_chosen(config, wanted), wanted)


def _files(wanted: Wanted, environment: Mapping[str, str]) -> list[Path]:
    """Return the files to read, the first of which goes before the others."""
    if wanted.kubeconfig:
        path = Path(wanted.kubeconfig)
        if not path.exists():
            message = f"{path}: cannot be read: no such file or directory"
            raise InputError(message, "correct the path of --kubeconfig")
        return [path]
    return [path for path in _named(environment) if path.exists()]


def _named(environment: Mapping[str, str]) -> list[Path]:
    """Return the files that the environment names, whether they are there or not."""
    named = [each for each in environment.get("KUBECONFIG", "").split(os.pathsep) if each]
    if not named and environment.get("HOME"):
        named = [DEFAULT_FILE.replace("~", environment["HOME"], 1)]
    return [Path(each) for each in dict.fromkeys(named)]


def _missing(wanted: Wanted, environment: Mapping[str, str]) -> str:
    """Return the files that were named and are not there; empty for none."""
    return ", ".join(str(path) for path in _named(environment) if not wanted.kubeconfig and not path.exists())


def _merged(files: list[Path]) -> _Config:
    config = _Config(files=files)
    for path in files:
        content = _content(path)
        fresh = {
            "cluster": _add(config.clusters, content, path, ("clusters", "cluster"), Cluster),
            "user": _add(config.users, content, path, ("users", "user"), User),
            "context": _add(config.contexts, content, path, ("contexts", "context"), Context),
        }
        current = content.get("current-context")
        if isinstance(current, str) and current and not config.current:
            config.current = current
            config.places["current-context", current] = f"{path}: current-context"
        for what, names in fresh.items():
            config.places |= {(what, name): f"{path}: {what} {name}" for name in names}
    return config


def _content(path: Path) -> dict[str, Any]:
    """Return what a file says; an empty file says nothing."""
    errors: list[ManifestError] = []
    try:
        values = [value for value, _ in read_yaml(path.read_text(), str(path), errors) if value is not None]
    except OSError as error:
        message = f"{path}: cannot be read: {os.strerror(error.errno or 0).lower()}"
        raise InputError(message, "make it readable, or name another kubeconfig") from error
    except UnicodeDecodeError as error:
        message = f"{path}: not UTF-8"
        raise InputError(message, "name another kubeconfig") from error
    except ManifestError as error:
        errors.append(error)
        values = []
    if errors:
        raise InputError(str(errors[0]), errors[0].hint)
    value = values[0] if values else {}
    if not isinstance(value, dict) or value.get("kind") not in {None, "", "Config"}:
        message = f"{path}: no kubeconfig"
        raise InputError(message, "name a file of kind Config, or give manifests with -f")
    return value


def _add(
    taken: dict[str, _Named], content: dict[str, Any], path: Path, words: tuple[str, str], shape: type[_Named]
) -> list[str]:
    """Add the entries of one list of a file, but for names that are taken; return the names of those added."""
    plural, singular = words
    added = []
    try:
        for entry in msgspec.convert(content.get(plural) or [], list[dict[str, Any]]):
            name = msgspec.convert(entry.get("name"), str)
            if name not in taken:
                taken[name] = _absolute(msgspec.convert(entry.get(singular) or {}, shape), path.absolute().parent)
                added.append(name)
    except msgspec.ValidationError as error:
        message = f"{path}: {plural}: {str(error)[:1].lower()}{str(error)[1:]}"
        raise InputError(message, "correct the kubeconfig, or name another") from error
    return added


def _absolute(entry: _Named, folder: Path) -> _Named:
    """Resolve the paths of an entry against the folder of its file; commands without a slash are looked up."""
    for name in ("certificate_auth", "client_cert", "client_key", "token_file"):
        if path := getattr(entry, name, None):
            setattr(entry, name, str(folder / path))
    plugin = getattr(entry, "exec", None)
    if plugin and "/" in plugin.command:
        plugin.command = str(folder / plugin.command)
    return entry


def _chosen(config: _Config, wanted: Wanted) -> Access:
    """Return the cluster and user of the context that is meant."""
    name = wanted.context or config.current
    if not name and not (wanted.cluster and wanted.user):
        message = f"{config.place('', '')}: no current-context"
        raise InputError(message, "name one with --context, or run kubectl config use-context")
    asking = "--context" if wanted.context else config.place("current-context", name)
    context = _found(config, config.contexts, "context", name, asking) if name else Context()
    cluster, user = wanted.cluster or context.cluster, wanted.user or context.user
    here = config.place("context", name)
    asking_cluster, asking_user = "--cluster" if wanted.cluster else here, "--user" if wanted.user else here
    return Access(
        context=name or wanted.cluster,
        namespace=context.namespace or "default",
        cluster=_found(config, config.clusters, "cluster", cluster, asking_cluster),
        user=_found(config, config.users, "user", user, asking_user) if user else User(),
        cluster_place=config.place("cluster", cluster),
        user_place=config.place("user", user),
    )


def _found(config: _Config, entries: Mapping[str, _Named], what: str, name: str, asking: str) -> _Named:
    """Return an entry.

    Raises:
        InputError: there is none of that name; whoever asks for it is named.
    """
    if name in entries:
        return entries[name]
    message = f"{asking}: there is no {what} {name} in {config.place('', '')}" if name else f"{asking}: no {what}"
    near = get_close_matches(name, sorted(entries), 1) or sorted(entries)[:_SHOWN]
    raise InputError(message, f"try {' or '.join(near)}" if near else f"name one with --{what}")


def _with_flags(access: Access, wanted: Wanted) -> Access:
    """Return the access as the command line wants it, if it makes sense.

    Raises:
        InputError: two of its parts contradict each other, or one is missing.
    """
    user = access.user
    if wanted.token:
        others: dict[str, Any] = dict.fromkeys(("token_file", "exec", "username", "password", "auth_provider"))
        user = msgspec.structs.replace(user, token=wanted.token, **others)
    if wanted.impersonate or wanted.groups:
        user = msgspec.structs.replace(user, impersonate=wanted.impersonate, impersonate_groups=[*wanted.groups])
        user.impersonate_uid, user.impersonate_extra = "", {}
    place = "--as-group" if wanted.groups else access.user_place
    places = ((access.cluster_place, _of_cluster(access.cluster)), (place, _of_user(user)))
    wrong = [f"{place}: {words}" for place, found in places for words, holds in found if holds]
    if wrong:
        raise InputError(wrong[0], "correct the kubeconfig or the options")
    return replace(access, user=user, timeout_s=wanted.timeout_s)


def _of_cluster(cluster: Cluster) -> tuple[tuple[str, bool], ...]:
    """Return what may be wrong with a cluster, and whether it is."""
    authority = bool(cluster.certificate_auth or cluster.certificate_auth_data)
    return (
        ("no server", not cluster.server),
        (
            f'server: "{cluster.server}" is no address: write https://HOST:PORT',
            not _is_address(cluster.server),
        ),
        (
            "certificate-authority and certificate-authority-data are both given",
            bool(cluster.certificate_auth and cluster.certificate_auth_data),
        ),
        ("a certificate authority is given, and insecure-skip-tls-verify is true", authority and cluster.insecure),
    )


def _of_user(user: User) -> tuple[tuple[str, bool], ...]:
    """Return what may be wrong with a user, and whether it is."""
    certificate, key = (user.client_cert or user.client_cert_data), (user.client_key or user.client_key_data)
    alone = bool(user.impersonate_groups or user.impersonate_uid or user.impersonate_extra) and not user.impersonate
    return (
        (
            "client-certificate and client-certificate-data are both given",
            bool(user.client_cert and user.client_cert_data),
        ),
        ("client-key and client-key-data are both given", bool(user.client_key and user.client_key_data)),
        ("the client certificate has no client-key", bool(certificate and not key)),
        ("both a token and a password are given", bool(user.token and (user.username or user.password))),
        ("auth-provider is not supported; Kubernetes has exec plugins in place of it", bool(user.auth_provider)),
        ("groups, uid or extra are to be impersonated without a user", alone),
    )


def _is_address(server: str) -> bool:
    try:
        parts = urlsplit(server)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _in_cluster(environment: Mapping[str, str], folder: Path) -> Access | None:
    """Return the access that a pod has by its service account; None outside of a pod.

    Source: ``k8s.io/client-go/rest`` config.go, InClusterConfig.
    """
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT")
    token, authority, namespace = folder / "token", folder / "ca.crt", folder / "namespace"
    if not (host and port and token.is_file()):
        return None
    return Access(
        context=IN_CLUSTER,
        namespace=namespace.read_text().strip() if namespace.is_file() else "default",
        cluster=Cluster(
            server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
            certificate_auth=str(authority) if authority.is_file() else None,
        ),
        user=User(token_file=str(token)),
    )
