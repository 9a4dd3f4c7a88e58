{{/* What runs the whole pipeline (or `module`) for a model type, as JSON. RUN_ID is the run's id: a second try gets the same batch. */}}
{{- define "shield.learnArgs" -}}
{{- $args := list "python" "-m" (.module | default "pipelines.run") "--model-type" .type "--run-id" "$(RUN_ID)" "--runs-dir" "/scratch/runs" }}
{{- range $key, $value := .root.Values.pipeline.parameters }}
{{- $args = concat $args (list "--set" (printf "%s=%s" $key (ternary $value (toJson $value) (kindIs "string" $value)))) }}
{{- end }}
{{- $args | toJson }}
{{- end }}

{{/* A pod that runs the whole pipeline: `args` is what it runs; without it, a TrainJob says. */}}
{{- define "shield.learnPod" -}}
{{- $full := include "shield.fullname" .root }}
{{- $p := .root.Values.pipeline }}
restartPolicy: Never
serviceAccountName: {{ $full }}-pipeline
automountServiceAccountToken: false
{{- include "shield.pull" .root | nindent 0 }}
{{- include "shield.podSecurity" (dict) | nindent 0 }}
{{- include "shield.placement" $p | nindent 0 }}
containers:
  - name: {{ .container | default "run" }}
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
      - {name: SHIELD_SIGNING_KEY, value: /etc/antispam-shield/signing/signing.pem}
      - {name: SHIELD_TRUSTED_KEYS, value: /etc/antispam-shield/trusted}
      {{- include "shield.clientEnv" .root | nindent 6 }}
      {{- include "shield.artifactsEnv" .root | nindent 6 }}
    {{- $resources := deepCopy $p.resources }}
    {{- if $p.gpu.enabled }}
    {{- $_ := set $resources "limits" (merge (dict $p.gpu.acceleratorType $p.gpu.count) ($resources.limits | default dict)) }}
    {{- end }}
    resources:
      {{- toYaml $resources | nindent 6 }}
    {{- include "shield.containerSecurity" .root | nindent 4 }}
    volumeMounts:
      - {name: scratch, mountPath: /scratch}
      - {name: scratch, mountPath: /tmp, subPath: tmp}
      - {name: signing, mountPath: /etc/antispam-shield/signing, readOnly: true}
      - {name: trusted, mountPath: /etc/antispam-shield/trusted, readOnly: true}
      {{- include "shield.tokenMount" .root | nindent 6 }}
volumes:
  - {name: scratch, emptyDir: {sizeLimit: {{ $p.cronjob.scratch }}}}
  - {name: signing, secret: {secretName: {{ include "shield.signingSecret" .root }}, defaultMode: 0440}}
  - {name: trusted, secret: {secretName: {{ include "shield.trustedSecret" .root }}, defaultMode: 0440}}
  {{- include "shield.tokenVolume" .root | nindent 2 }}
{{- end }}
