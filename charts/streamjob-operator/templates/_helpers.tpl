{{- define "streamjob.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "streamjob.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- $name := include "streamjob.name" . }}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "streamjob.selector" -}}
app.kubernetes.io/name: {{ include "streamjob.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "streamjob.labels" -}}
{{ include "streamjob.selector" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: streamjob
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "streamjob.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "streamjob.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "streamjob.image" -}}
{{- with .Values.image }}
{{- .reference | default (printf "%s:%s" .repository (.tag | default $.Chart.AppVersion)) }}
{{- end }}
{{- end }}

{{- /* What the operator may do in the namespaces it looks after: no secrets, no nodes, no writes to users' specs. */ -}}
{{- define "streamjob.operatorRules" -}}
- apiGroups: [streamjob.dev]
  resources: [streamjobs, streamresources]
  verbs: [get, list, watch]
- apiGroups: [streamjob.dev]
  resources: [streamjobs/status]
  verbs: [patch]
# admission is a compare-and-swap: a PUT with the resourceVersion that the computation read
- apiGroups: [streamjob.dev]
  resources: [streamresources/status]
  verbs: [update]
# owner references with blockOwnerDeletion, where OwnerReferencesPermissionEnforcement is on
- apiGroups: [streamjob.dev]
  resources: [streamjobs/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, create, patch, delete]
# checkpoints: never deleted by the operator
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, create, patch]
# specs as they were deployed, at most ten of a job
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [get, list, create, delete]
# listed for one pod, while it is being created: what holds it up (a missing Secret) is told by events alone
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [list, create, patch]
{{- end }}

{{- /* What a Cluster job's driver may do in its namespace: what Spark needs to run executors, and no more. */ -}}
{{- define "streamjob.driverRules" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, delete, deletecollection]
{{- end }}

{{- define "streamjob.viewRules" -}}
- apiGroups: [streamjob.dev]
  resources: [streamjobs, streamjobs/status, streamresources, streamresources/status]
  verbs: [get, list, watch]
{{- end }}

{{- define "streamjob.editRules" -}}
- apiGroups: [streamjob.dev]
  resources: [streamjobs]
  verbs: [get, list, watch, create, update, patch, delete, deletecollection]
- apiGroups: [streamjob.dev]
  resources: [streamjobs/status, streamresources, streamresources/status]
  verbs: [get, list, watch]
{{- end }}

{{- /* The platform's right, not an OU's: whoever has it decides about capacity and the orgId. */ -}}
{{- define "streamjob.resourceAdminRules" -}}
- apiGroups: [streamjob.dev]
  resources: [streamresources]
  verbs: [get, list, watch, create, update, patch, delete, deletecollection]
- apiGroups: [streamjob.dev]
  resources: [streamresources/status]
  verbs: [get, list, watch]
{{- end }}
