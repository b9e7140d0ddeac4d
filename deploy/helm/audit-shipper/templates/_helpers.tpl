{{- define "audit-shipper.selector" -}}
app.kubernetes.io/name: audit-shipper
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "audit-shipper.labels" -}}
{{ include "audit-shipper.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "audit-shipper.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{/* The configuration file: what the user gave, and what the pod decides. */}}
{{- define "audit-shipper.config" -}}
{{- $cluster := required "config.log.cluster: the cluster's name is part of the log's, and stays" .Values.config.log.cluster -}}
{{- $url := required "config.store.url: where the archive lies, s3://bucket/prefix" .Values.config.store.url -}}
{{- $pod := dict
  "log" (dict "node" "${NODE_NAME}")
  "source" (dict "path" "${AUDIT_LOG}")
  "seal" (dict "key_file" (printf "/etc/audit-shipper/key/%s" .Values.key.secretKey))
  "spool" (dict "path" "/var/lib/audit-shipper/spool")
  "health" (dict "listen" (printf "0.0.0.0:%v" .Values.health.port))
-}}
{{- with .Values.apiServerMetrics }}{{ if .enabled }}
{{- $asked := dict
  "url" (printf "https://${NODE_IP}:%v" .port)
  "server_name" "kubernetes"
  "ca_file" "/var/run/secrets/apiserver/ca.crt"
  "token_file" "/var/run/secrets/apiserver/token"
-}}
{{- $_ := set $pod.source "apiserver_metrics" $asked }}
{{- end }}{{ end -}}
{{- toYaml (mergeOverwrite (deepCopy $pod) .Values.config) -}}
{{- end }}

{{/* Whom the daemon runs as: the user's id. */}}
{{- define "audit-shipper.user" -}}
{{- if eq .Values.access.mode "group" -}}{{ .Values.access.user }}
{{- else if eq .Values.access.mode "owner" -}}{{ .Values.access.owner }}
{{- else -}}0{{- end -}}
{{- end }}

{{- define "audit-shipper.podSecurityContext" -}}
{{- $user := int (include "audit-shipper.user" .) -}}
runAsUser: {{ $user }}
runAsGroup: {{ $user }}
runAsNonRoot: {{ ne $user 0 }}
{{- if $user }}
# Gives the Secrets' files to the daemon's group, mode 0440.
fsGroup: {{ $user }}
{{- end }}
{{- if eq .Values.access.mode "group" }}
supplementalGroups: [{{ .Values.access.group }}]
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- with .Values.seLinuxType }}
seLinuxOptions:
  type: {{ . }}
{{- end }}
{{- end }}

{{- define "audit-shipper.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
  {{- if eq .Values.access.mode "capability" }}
  add: [DAC_READ_SEARCH]
  {{- end }}
{{- end }}

{{- define "audit-shipper.env" -}}
- name: NODE_NAME
  valueFrom:
    fieldRef:
      fieldPath: spec.nodeName
- name: AUDIT_LOG
  value: {{ .Values.auditLog.path }}
{{- if .Values.apiServerMetrics.enabled }}
- name: NODE_IP
  valueFrom:
    fieldRef:
      fieldPath: status.hostIP
{{- end }}
{{- with .Values.s3.webIdentityRoleArn }}
- name: AWS_ROLE_ARN
  value: {{ . }}
- name: AWS_WEB_IDENTITY_TOKEN_FILE
  value: /var/run/secrets/web-identity/token
{{- end }}
{{- end }}

{{- define "audit-shipper.mounts" -}}
- name: config
  mountPath: /etc/audit-shipper/config
  readOnly: true
- name: key
  mountPath: /etc/audit-shipper/key
  readOnly: true
- name: s3
  mountPath: /etc/audit-shipper/s3
  readOnly: true
- name: rules
  mountPath: /etc/audit-shipper/rules.d
  readOnly: true
- name: alerts
  mountPath: /etc/audit-shipper/alerts
  readOnly: true
- name: audit-log
  mountPath: {{ dir .Values.auditLog.path }}
  readOnly: true
{{- if .Values.s3.webIdentityRoleArn }}
- name: web-identity
  mountPath: /var/run/secrets/web-identity
  readOnly: true
{{- end }}
{{- if .Values.apiServerMetrics.enabled }}
- name: apiserver
  mountPath: /var/run/secrets/apiserver
  readOnly: true
{{- end }}
{{- end }}

{{- define "audit-shipper.volumes" -}}
- name: config
  configMap:
    name: {{ .Release.Name }}
- name: key
  {{- if .Values.key.hostPath }}
  hostPath:
    path: {{ .Values.key.hostPath }}
    type: Directory
  {{- else }}
  secret:
    secretName: {{ .Values.key.secretName }}
    defaultMode: 0400
    items:
      - key: {{ .Values.key.secretKey }}
        path: {{ .Values.key.secretKey }}
  {{- end }}
- name: s3
  secret:
    secretName: {{ .Values.s3.credentialsSecret }}
    defaultMode: 0400
    optional: true
- name: rules
  configMap:
    name: {{ .Values.rules.configMap }}
    optional: true
- name: alerts
  secret:
    secretName: {{ .Values.alerts.secretName }}
    defaultMode: 0400
    optional: true
- name: audit-log
  hostPath:
    path: {{ dir .Values.auditLog.path }}
    type: Directory
{{- if .Values.s3.webIdentityRoleArn }}
- name: web-identity
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          audience: sts.amazonaws.com
          expirationSeconds: 3600
          path: token
{{- end }}
{{- if .Values.apiServerMetrics.enabled }}
- name: apiserver
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          expirationSeconds: 3600
          path: token
      - configMap:
          name: kube-root-ca.crt
          items:
            - {key: ca.crt, path: ca.crt}
{{- end }}
{{- end }}

{{- define "audit-shipper.placement" -}}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        {{- range .Values.controlPlaneLabels }}
        - matchExpressions:
            - {key: {{ . }}, operator: Exists}
        {{- end }}
tolerations: {{ toYaml .Values.tolerations | nindent 2 }}
{{- end }}
