{{/* What trains for a model type (by `module`), up to the gate, as JSON. RUN_ID is the run's id: a second try gets the same batch. */}}
{{- define "shield.learnArgs" -}}
{{- $args := list "python" "-m" (.module | default "pipelines.run") "--model-type" .type "--run-id" "$(RUN_ID)" "--runs-dir" "/scratch/runs" "--hand-over" }}
{{- range $key, $value := .root.Values.pipeline.parameters }}
{{- $args = concat $args (list "--set" (printf "%s=%s" $key (ternary $value (toJson $value) (kindIs "string" $value)))) }}
{{- end }}
{{- $args | toJson }}
{{- end }}

{{/* What signs and registers what a run has handed over, as JSON. */}}
{{- define "shield.registerArgs" -}}
{{- list "python" "-m" "pipelines.register" "--model-type" .type "--run-id" "$(RUN_ID)" | toJson }}
{{- end }}

{{/* A container of the training image: `name`, `args` (without them a TrainJob says), `resources`; with `signs` it has the signing key. */}}
{{- define "shield.trainingContainer" -}}
- name: {{ .name }}
  image: {{ include "shield.image" (dict "root" .root "image" "training") }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  {{- with .args }}
  args: {{ toJson . }}
  {{- end }}
  env:
    {{- if .args }}
    - {name: RUN_ID, valueFrom: {fieldRef: {fieldPath: "metadata.labels['batch.kubernetes.io/job-name']"}}}
    {{- end }}
    - {name: HOME, value: /scratch}
    - {name: SHIELD_CHECKPOINT_DIR, value: /scratch/checkpoints}
    {{- if .signs }}
    - {name: SHIELD_SIGNING_KEY, value: /etc/antispam-shield/signing/signing.pem}
    {{- include "shield.mirrorsEnv" .root | nindent 4 }}
    {{- end }}
    - {name: SHIELD_TRUSTED_KEYS, value: /etc/antispam-shield/trusted}
    {{- include "shield.clientEnv" .root | nindent 4 }}
    {{- include "shield.artifactsEnv" .root | nindent 4 }}
  resources:
    {{- toYaml .resources | nindent 4 }}
  {{- include "shield.containerSecurity" .root | nindent 2 }}
  volumeMounts:
    - {name: scratch, mountPath: /scratch}
    - {name: scratch, mountPath: /tmp, subPath: tmp}
    {{- if .signs }}
    - {name: signing, mountPath: /etc/antispam-shield/signing, readOnly: true}
    {{- end }}
    - {name: trusted, mountPath: /etc/antispam-shield/trusted, readOnly: true}
    {{- if and .signs .root.Values.pipeline.mirrors.existingSecret }}
    - {name: secrets-to-register, mountPath: /etc/antispam-shield/secrets, readOnly: true}
    {{- else }}
    {{- include "shield.secretsMount" (dict "root" .root) | nindent 4 }}
    {{- end }}
    {{- include "shield.tokenMount" .root | nindent 4 }}
{{- end }}

{{/* Where the step that registers mirrors versions to, and what these servers ask for. */}}
{{- define "shield.mirrorsEnv" -}}
{{- $m := .Values.pipeline.mirrors }}
{{- with $m.mlflowUrl }}
- {name: MLFLOW_TRACKING_URI, value: {{ . | quote }}}
{{- end }}
{{- with $m.modelRegistryUrl }}
- {name: SHIELD_MODEL_REGISTRY_URL, value: {{ . | quote }}}
{{- end }}
{{- if and $m.existingSecret (not (include "shield.artifactsSecret" .)) }}
- {name: SHIELD_SECRETS, value: /etc/antispam-shield/secrets}
{{- end }}
{{- end }}

{{/* Volumes of such containers; with `signs` the signing key is among them. */}}
{{- define "shield.trainingVolumes" -}}
- {name: scratch, emptyDir: {sizeLimit: {{ .root.Values.pipeline.cronjob.scratch }}}}
{{- if .signs }}
- {name: signing, secret: {secretName: {{ include "shield.signingSecret" .root }}, defaultMode: 0440}}
{{- end }}
- {name: trusted, secret: {secretName: {{ include "shield.trustedSecret" .root }}, defaultMode: 0440}}
{{- include "shield.secretsVolume" (dict "root" .root) | nindent 0 }}
{{- if and .signs .root.Values.pipeline.mirrors.existingSecret }}
- name: secrets-to-register
  projected:
    defaultMode: 0440
    sources:
      {{- include "shield.secretSources" (dict "root" .root "more" (list .root.Values.pipeline.mirrors.existingSecret)) | nindent 6 }}
{{- end }}
{{ include "shield.tokenVolume" .root }}
{{- end }}

{{/* A container that signs and registers by `args`; it neither trains nor reads messages. */}}
{{- define "shield.registerContainer" -}}
{{- $resources := dict "requests" (dict "cpu" "100m" "memory" "512Mi") "limits" (dict "memory" "2Gi") }}
{{- include "shield.trainingContainer" (dict "root" .root "name" "register" "args" .args "resources" $resources "signs" true) }}
{{- end }}

{{/* A pod that trains by `args` and, once that process has ended, signs and registers by `register` in a container of its own: no
     training code ever runs beside the signing key. Without `register` it only trains; without `args` a TrainJob says. `gpu: false` asks
     for no GPU, `placement` (values with `nodeSelector` and `tolerations`) for other nodes than training's. */}}
{{- define "shield.learnPod" -}}
{{- $full := include "shield.fullname" .root }}
{{- $p := .root.Values.pipeline }}
{{- $resources := deepCopy $p.resources }}
{{- if and $p.gpu.enabled (ne (toString .gpu) "false") }}
{{- $_ := set $resources "limits" (merge (dict $p.gpu.acceleratorType $p.gpu.count) ($resources.limits | default dict)) }}
{{- end }}
restartPolicy: Never
serviceAccountName: {{ $full }}-pipeline
automountServiceAccountToken: false
{{- include "shield.pull" .root | nindent 0 }}
{{- include "shield.podSecurity" (dict) | nindent 0 }}
{{- include "shield.placement" (.placement | default $p) | nindent 0 }}
{{ ternary "initContainers" "containers" (not (empty .register)) }}:
  {{- include "shield.trainingContainer" (dict "root" .root "name" (.container | default "run") "args" .args "resources" $resources) | nindent 2 }}
{{- if .register }}
containers:
  {{- include "shield.registerContainer" (dict "root" .root "args" .register) | nindent 2 }}
{{- end }}
volumes:
  {{- include "shield.trainingVolumes" (dict "root" .root "signs" (not (empty .register))) | nindent 2 }}
{{- end }}
