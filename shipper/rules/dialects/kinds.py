"""Kinds and resources: what an audit event and a manifest call the same thing.

A table of what every API server has, and the API conventions' guess for a kind that it has not.
No resource is ever guessed back into a kind: its capital letters are not known.
"""

from __future__ import annotations

from collections.abc import Mapping

_BUILT_IN: Mapping[str, str] = {
    "": "configmaps:ConfigMap endpoints:Endpoints events:Event limitranges:LimitRange"
    " persistentvolumeclaims:PersistentVolumeClaim pods:Pod podtemplates:PodTemplate"
    " replicationcontrollers:ReplicationController resourcequotas:ResourceQuota secrets:Secret"
    " serviceaccounts:ServiceAccount services:Service bindings:Binding"
    " namespaces:Namespace! nodes:Node! persistentvolumes:PersistentVolume!"
    " componentstatuses:ComponentStatus!",
    "admissionregistration.k8s.io": "mutatingadmissionpolicies:MutatingAdmissionPolicy!"
    " mutatingadmissionpolicybindings:MutatingAdmissionPolicyBinding!"
    " mutatingwebhookconfigurations:MutatingWebhookConfiguration!"
    " validatingadmissionpolicies:ValidatingAdmissionPolicy!"
    " validatingadmissionpolicybindings:ValidatingAdmissionPolicyBinding!"
    " validatingwebhookconfigurations:ValidatingWebhookConfiguration!",
    "apiextensions.k8s.io": "customresourcedefinitions:CustomResourceDefinition!",
    "apiregistration.k8s.io": "apiservices:APIService!",
    "apps": "controllerrevisions:ControllerRevision daemonsets:DaemonSet deployments:Deployment"
    " replicasets:ReplicaSet statefulsets:StatefulSet",
    "authentication.k8s.io": "selfsubjectreviews:SelfSubjectReview! tokenreviews:TokenReview!",
    "authorization.k8s.io": "localsubjectaccessreviews:LocalSubjectAccessReview"
    " selfsubjectaccessreviews:SelfSubjectAccessReview!"
    " selfsubjectrulesreviews:SelfSubjectRulesReview! subjectaccessreviews:SubjectAccessReview!",
    "autoscaling": "horizontalpodautoscalers:HorizontalPodAutoscaler",
    "batch": "cronjobs:CronJob jobs:Job",
    "certificates.k8s.io": "certificatesigningrequests:CertificateSigningRequest!"
    " clustertrustbundles:ClusterTrustBundle! podcertificaterequests:PodCertificateRequest",
    "coordination.k8s.io": "leases:Lease leasecandidates:LeaseCandidate",
    "discovery.k8s.io": "endpointslices:EndpointSlice",
    "events.k8s.io": "events:Event",
    "extensions": "daemonsets:DaemonSet deployments:Deployment ingresses:Ingress"
    " networkpolicies:NetworkPolicy replicasets:ReplicaSet podsecuritypolicies:PodSecurityPolicy!",
    "flowcontrol.apiserver.k8s.io": "flowschemas:FlowSchema!"
    " prioritylevelconfigurations:PriorityLevelConfiguration!",
    "networking.k8s.io": "ingresses:Ingress networkpolicies:NetworkPolicy"
    " ingressclasses:IngressClass! ipaddresses:IPAddress! servicecidrs:ServiceCIDR!",
    "node.k8s.io": "runtimeclasses:RuntimeClass!",
    "policy": "poddisruptionbudgets:PodDisruptionBudget podsecuritypolicies:PodSecurityPolicy!",
    "rbac.authorization.k8s.io": "rolebindings:RoleBinding roles:Role"
    " clusterrolebindings:ClusterRoleBinding! clusterroles:ClusterRole!",
    "resource.k8s.io": "resourceclaims:ResourceClaim resourceclaimtemplates:ResourceClaimTemplate"
    " deviceclasses:DeviceClass! resourceslices:ResourceSlice!",
    "scheduling.k8s.io": "priorityclasses:PriorityClass!",
    "storage.k8s.io": "csistoragecapacities:CSIStorageCapacity csidrivers:CSIDriver!"
    " csinodes:CSINode! storageclasses:StorageClass! volumeattachments:VolumeAttachment!"
    " volumeattributesclasses:VolumeAttributesClass!",
    # The engines whose policies are read here, and what they are installed with.
    "kyverno.io": "policies:Policy policyexceptions:PolicyException clusterpolicies:ClusterPolicy!",
    "policies.kyverno.io": "policyexceptions:PolicyException"
    " validatingpolicies:ValidatingPolicy! namespacedvalidatingpolicies:NamespacedValidatingPolicy",
    "templates.gatekeeper.sh": "constrainttemplates:ConstraintTemplate!",
}
"""By API group: `resource:Kind`; with `!` those that stand in no namespace."""

_SUBRESOURCES: Mapping[str, str] = {
    "pods/attach": "PodAttachOptions",
    "pods/binding": "Binding",
    "pods/eviction": "Eviction",
    "pods/exec": "PodExecOptions",
    "pods/portforward": "PodPortForwardOptions",
    "pods/proxy": "PodProxyOptions",
    "nodes/proxy": "NodeProxyOptions",
    "services/proxy": "ServiceProxyOptions",
    "serviceaccounts/token": "TokenRequest",
}
"""Subresources whose body is no object of their resource; any `scale` is one more."""

_CONSTRAINTS = "constraints.gatekeeper.sh"
"""Gatekeeper makes the resource of a kind of constraint from its name, not from the plural."""

_ENTRIES = [
    (group, *entry.split(":")) for group, entries in _BUILT_IN.items() for entry in entries.split()
]
_KINDS = {(group, resource): kind.rstrip("!") for group, resource, kind in _ENTRIES}
_RESOURCES = {(group, kind): resource for (group, resource), kind in _KINDS.items()}
_CLUSTER_WIDE = {(group, kind[:-1]) for group, _, kind in _ENTRIES if kind.endswith("!")}


def kind_of(group: str, resource: str, subresource: str = "") -> str:
    """The kind of what a request to this resource carries; empty where no table has it."""
    if subresource == "scale":
        return "Scale"
    special = _SUBRESOURCES.get(f"{resource}/{subresource}") if group == "" else None
    return special or _KINDS.get((group, resource), "")


def resource_of(group: str, kind: str) -> str:
    """The resource of a kind: from the table, else the conventions' plural.

    Source: k8s.io/apimachinery, meta.UnsafeGuessKindToResource.
    """
    known = _RESOURCES.get((group, kind))
    if known or group == _CONSTRAINTS:
        return known or kind.lower()
    name = kind.lower()
    if name.endswith("s"):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def is_cluster_wide(group: str, kind: str) -> bool:
    """Whether objects of this kind stand in no namespace; of a kind that no table has: False."""
    return (group, kind) in _CLUSTER_WIDE or group == _CONSTRAINTS
