{{- define "stationbill.labels" -}}
app.kubernetes.io/name: stationbill
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "stationbill.selector" -}}
app.kubernetes.io/name: stationbill
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "stationbill.serviceAccount" -}}
{{ .Values.serviceAccount.name | default .Release.Name }}
{{- end }}

{{- define "stationbill.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* What no container of ours needs. */}}
{{- define "stationbill.locked" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
capabilities: { drop: [ALL] }
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{/* What the operator may do with the objects that it looks after: it never makes, and never deletes one. */}}
{{- define "stationbill.rules" -}}
- apiGroups: [stationbill.dev]
  resources: ["*"]
  verbs: [get, list, watch]
# Finalizers are part of the objects themselves.
- apiGroups: [stationbill.dev]
  resources: {{ include "stationbill.kept" . }}
  verbs: [patch]
- apiGroups: [stationbill.dev]
  resources: {{ include "stationbill.told" . }}
  verbs: [patch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get]
- apiGroups: [""]
  resources: [secrets]
  {{- with .Values.secrets.names }}
  resourceNames: {{ toJson . }}
  {{- end }}
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* Every kind: each has a finalizer and a status. */}}
{{- define "stationbill.kept" -}}
{{- $kept := list }}
{{- range $path, $_ := .Files.Glob "files/crds/*.yaml" }}
{{- $crd := $.Files.Get $path | fromYaml }}
{{- $kept = append $kept $crd.spec.names.plural }}
{{- end }}
{{- toJson $kept }}
{{- end }}

{{- define "stationbill.told" -}}
{{- $told := list }}
{{- range fromJsonArray (include "stationbill.kept" .) }}{{ $told = append $told (printf "%s/status" .) }}{{ end }}
{{- toJson $told }}
{{- end }}
