{{/* What every model server's pod has in common; the operator adds the version, arguments and probes. */}}
{{- define "shield.modelServerPod" -}}
{{- $full := include "shield.fullname" . }}
{{- $server := dict "root" . "component" "model-server" }}
metadata:
  labels:
    {{- include "shield.selector" $server | nindent 4 }}
    app.kubernetes.io/part-of: antispam-shield
spec:
  serviceAccountName: {{ $full }}-model-server
  automountServiceAccountToken: false
  {{- include "shield.pull" . | nindent 2 }}
  {{- include "shield.podSecurity" (dict) | nindent 2 }}
  {{- include "shield.placement" .Values.serving | nindent 2 }}
  terminationGracePeriodSeconds: 30
  containers:
    - name: model-server
      image: {{ include "shield.image" (dict "root" . "image" "serving") }}
      command: [python, -m, serving.server]
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      env:
        - {name: SHIELD_TRUSTED_KEYS, value: /etc/antispam-shield/trusted}
        {{- include "shield.artifactsEnv" . | nindent 8 }}
        {{- include "shield.env" .Values.serving.env | nindent 8 }}
      resources:
        {{- toYaml .Values.serving.resources | nindent 8 }}
      {{- include "shield.containerSecurity" . | nindent 6 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        - {name: trusted, mountPath: /etc/antispam-shield/trusted, readOnly: true}
        {{- include "shield.secretsMount" (dict "root" .) | nindent 8 }}
  volumes:
    - {name: tmp, emptyDir: {sizeLimit: 4Gi}}
    - {name: trusted, secret: {secretName: {{ include "shield.trustedSecret" . }}, defaultMode: 0440}}
    {{- include "shield.secretsVolume" (dict "root" .) | nindent 4 }}
{{- end }}
