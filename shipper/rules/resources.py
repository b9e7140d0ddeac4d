"""The resources that every API server has, to ask what a rule or an audit policy says of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Resource(NamedTuple):
    """A resource or subresource of an API group ("" is the core group)."""

    group: str
    resource: str
    subresource: str = ""

    def __str__(self) -> str:
        """As in a policy: `pods`, `pods/exec`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


_BUILT_IN: Mapping[str, str] = {
    "": "bindings configmaps endpoints events limitranges namespaces namespaces/finalize"
    " namespaces/status nodes nodes/proxy nodes/status persistentvolumeclaims persistentvolumes"
    " pods pods/attach pods/binding pods/ephemeralcontainers pods/eviction pods/exec pods/log"
    " pods/portforward pods/proxy pods/resize pods/status podtemplates replicationcontrollers"
    " replicationcontrollers/scale resourcequotas secrets serviceaccounts serviceaccounts/token"
    " services services/proxy services/status",
    "admissionregistration.k8s.io": "mutatingadmissionpolicies mutatingadmissionpolicybindings"
    " mutatingwebhookconfigurations validatingadmissionpolicies"
    " validatingadmissionpolicybindings validatingwebhookconfigurations",
    "apiextensions.k8s.io": "customresourcedefinitions customresourcedefinitions/status",
    "apiregistration.k8s.io": "apiservices apiservices/status",
    "apps": "controllerrevisions daemonsets daemonsets/status deployments deployments/scale"
    " deployments/status replicasets replicasets/scale replicasets/status statefulsets"
    " statefulsets/scale statefulsets/status",
    "authentication.k8s.io": "selfsubjectreviews tokenreviews",
    "authorization.k8s.io": "localsubjectaccessreviews selfsubjectaccessreviews"
    " selfsubjectrulesreviews subjectaccessreviews",
    "autoscaling": "horizontalpodautoscalers horizontalpodautoscalers/status",
    "batch": "cronjobs cronjobs/status jobs jobs/status",
    "certificates.k8s.io": "certificatesigningrequests certificatesigningrequests/approval"
    " certificatesigningrequests/status clustertrustbundles",
    "coordination.k8s.io": "leases",
    "discovery.k8s.io": "endpointslices",
    "events.k8s.io": "events",
    "flowcontrol.apiserver.k8s.io": "flowschemas prioritylevelconfigurations",
    "networking.k8s.io": "ingressclasses ingresses ingresses/status networkpolicies",
    "node.k8s.io": "runtimeclasses",
    "policy": "poddisruptionbudgets poddisruptionbudgets/status",
    "rbac.authorization.k8s.io": "clusterrolebindings clusterroles rolebindings roles",
    "scheduling.k8s.io": "priorityclasses",
    "storage.k8s.io": "csidrivers csinodes storageclasses volumeattachments",
}

BUILT_IN: tuple[Resource, ...] = tuple(
    Resource(group, *name.split("/"))
    for group, names in _BUILT_IN.items()
    for name in names.split()
)
"""Resources and subresources."""
