{{- define "shield.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "shield.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "shield.name" . -}}
{{- if contains $name .Release.Name -}}{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}{{- end -}}
{{- end -}}
{{- end }}

{{/* Labels that never change: what selectors use. */}}
{{- define "shield.selector" -}}
app.kubernetes.io/name: {{ include "shield.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "shield.labels" -}}
{{ include "shield.selector" . }}
app.kubernetes.io/part-of: antispam-shield
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "shield.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "shield.labels" . | nindent 2 }}
{{- end }}

{{/* Image by name: a digest wins over the tag. */}}
{{- define "shield.image" -}}
{{- $digest := index .root.Values.image.digests .image | default "" -}}
{{- if $digest -}}{{ .root.Values.image.registry }}/{{ .image }}@{{ $digest }}
{{- else -}}{{ .root.Values.image.registry }}/{{ .image }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}{{- end -}}
{{- end }}

{{- define "shield.authSecret" -}}{{ .Values.keys.authSecret | default (printf "%s-keys" (include "shield.fullname" .)) }}{{- end }}
{{- define "shield.signingSecret" -}}{{ .Values.keys.signingSecret | default (printf "%s-signing" (include "shield.fullname" .)) }}{{- end }}
{{- define "shield.trustedSecret" -}}{{ .Values.keys.trustedSecret | default (printf "%s-trusted-keys" (include "shield.fullname" .)) }}{{- end }}

{{- define "shield.databaseSecret" -}}
{{- if .Values.trial.postgresql.enabled -}}{{ include "shield.fullname" . }}-trial
{{- else -}}
{{- required "Name the Secret with the PostgreSQL URL in database.existingSecret, or set trial.postgresql.enabled=true." .Values.database.existingSecret -}}
{{- end -}}
{{- end }}
{{- define "shield.databaseKey" -}}{{ ternary "database-url" .Values.database.key .Values.trial.postgresql.enabled }}{{- end }}

{{- define "shield.artifactsSecret" -}}
{{- if .Values.artifacts.existingSecret -}}{{ .Values.artifacts.existingSecret }}
{{- else if .Values.trial.seaweedfs.enabled -}}{{ include "shield.fullname" . }}-trial-artifacts{{- end -}}
{{- end }}
{{- define "shield.artifactsEndpoint" -}}
{{- if .Values.artifacts.endpointUrl -}}{{ .Values.artifacts.endpointUrl }}
{{- else if .Values.trial.seaweedfs.enabled -}}http://{{ include "shield.fullname" . }}-seaweedfs.{{ .Release.Namespace }}.svc:8333{{- end -}}
{{- end }}

{{- define "shield.engine" -}}
{{- if ne .Values.pipeline.engine "auto" -}}{{ .Values.pipeline.engine }}
{{- else if .Capabilities.APIVersions.Has "kubeflow.org/v1beta1/ScheduledWorkflow" -}}kfp
{{- else -}}cronjob{{- end -}}
{{- end }}

{{- define "shield.apiUrl" -}}http://{{ include "shield.fullname" . }}-api.{{ .Release.Namespace }}.svc:8000{{- end }}
{{- define "shield.audience" -}}antispam-shield{{- end }}

{{/* Environment that reaches the artifact store. */}}
{{- define "shield.artifactsEnv" -}}
- {name: SHIELD_ARTIFACTS_ROOT, value: {{ .Values.artifacts.root | quote }}}
- {name: SHIELD_ARTIFACTS_REGION, value: {{ .Values.artifacts.region | quote }}}
{{- with include "shield.artifactsEndpoint" . }}
- {name: SHIELD_ARTIFACTS_ENDPOINT_URL, value: {{ . | quote }}}
{{- end }}
{{- if include "shield.artifactsSecret" . }}
- {name: SHIELD_SECRETS, value: /etc/antispam-shield/secrets}
{{- end }}
{{- end }}

{{/* Secrets as files, each named as the variable that it stands for: keys of the bucket; with `database` its URL; `more` whole Secrets. */}}
{{- define "shield.secretSources" -}}
{{- with include "shield.artifactsSecret" .root }}
- secret: {name: {{ . }}, items: [{key: AWS_ACCESS_KEY_ID, path: AWS_ACCESS_KEY_ID}, {key: AWS_SECRET_ACCESS_KEY, path: AWS_SECRET_ACCESS_KEY}]}
{{- end }}
{{- if .database }}
- secret: {name: {{ include "shield.databaseSecret" .root }}, items: [{key: {{ include "shield.databaseKey" .root }}, path: SHIELD_DATABASE_URL}{{ with .root.Values.database.directKey }}, {key: {{ . }}, path: SHIELD_DATABASE_DIRECT_URL}{{ end }}]}
{{- end }}
{{- range .more }}
- secret: {name: {{ . }}}
{{- end }}
{{- end }}
{{- define "shield.secretsVolume" -}}
{{- with include "shield.secretSources" . }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- . | nindent 6 }}
{{- end }}
{{- end }}
{{- define "shield.secretsMount" -}}
{{- if include "shield.secretSources" . }}
- {name: secrets, mountPath: /etc/antispam-shield/secrets, readOnly: true}
{{- end }}
{{- end }}

{{/* Environment of everything that calls the API as a service. */}}
{{- define "shield.clientEnv" -}}
- {name: SHIELD_API_URL, value: {{ include "shield.apiUrl" . | quote }}}
- {name: SHIELD_API_TOKEN_FILE, value: /var/run/secrets/antispam-shield/token}
{{- end }}

{{- define "shield.env" -}}
{{- range $name, $value := . }}
- {name: {{ $name }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- end }}

{{/* A token of this pod's ServiceAccount that is good for our API alone. */}}
{{- define "shield.tokenVolume" -}}
- name: api-token
  projected:
    sources:
      - serviceAccountToken: {audience: {{ include "shield.audience" . }}, expirationSeconds: 3600, path: token}
{{- end }}
{{- define "shield.tokenMount" -}}
- {name: api-token, mountPath: /var/run/secrets/antispam-shield, readOnly: true}
{{- end }}

{{/* The API server's own token, mounted only where it is used. */}}
{{- define "shield.kubernetesVolume" -}}
- name: kubernetes
  projected:
    sources:
      - serviceAccountToken: {expirationSeconds: 3600, path: token}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}]}
{{- end }}
{{- define "shield.kubernetesMount" -}}
- {name: kubernetes, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}

{{- define "shield.podSecurity" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user | default 65532 }}
  runAsGroup: {{ .user | default 65532 }}
  fsGroup: {{ .user | default 65532 }}
  seccompProfile: {type: RuntimeDefault}
{{- end }}
{{- define "shield.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "shield.pull" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "shield.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A NetworkPolicy peer: a component of this release. */}}
{{- define "shield.to" -}}
podSelector:
  matchLabels:
    {{- include "shield.selector" . | nindent 4 }}
{{- end }}

{{/* NetworkPolicy peers: the pods of Kubeflow's steps, which carry no labels of this release. */}}
{{- define "shield.kfpSteps" -}}
{{- if eq (include "shield.engine" .) "kfp" }}
{{- $namespace := .Values.pipeline.kfp.namespace | default .Release.Namespace }}
- podSelector: {matchLabels: {antispamshield.io/api-token: "true"}}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ $namespace }}}}
{{- end }}
{{- end }}
