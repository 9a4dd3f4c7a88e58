{{/* Environment of the API and of its migration. */}}
{{- define "shield.apiEnv" -}}
- {name: SHIELD_DATABASE_URL, valueFrom: {secretKeyRef: {name: {{ include "shield.databaseSecret" . }}, key: {{ include "shield.databaseKey" . }}}}}
- {name: SHIELD_API_JWT_SECRET_FILE, value: /etc/antispam-shield/keys/jwt-secret}
- {name: SHIELD_API_MESSAGE_KEYS, value: /etc/antispam-shield/keys/message-keys.json}
- {name: SHIELD_API_SERVICE_ACCOUNT_AUDIENCE, value: {{ include "shield.audience" . }}}
- {name: SHIELD_API_TOKEN_REVIEW, value: "true"}
- {name: SHIELD_API_SERVICE_ACCOUNTS, value: {{ list (printf "%s:%s-operator" .Release.Namespace (include "shield.fullname" .)) (printf "%s:%s-pipeline" .Release.Namespace (include "shield.fullname" .)) | toJson | quote }}}
- {name: SHIELD_ROLLOUTS, value: kubernetes}
- {name: SHIELD_ROLLOUTS_NAMESPACE, value: {{ .Release.Namespace }}}
- {name: SHIELD_TRUSTED_KEYS, value: /etc/antispam-shield/trusted}
{{- with .Values.api.rateStorage }}
- {name: SHIELD_API_RATE_STORAGE, value: {{ . | quote }}}
{{- end }}
{{ include "shield.artifactsEnv" . }}
{{- end }}
