{{/* Part of the name of every Job: whatever its pods are made of, because a Job cannot be changed. */}}
{{- define "shield.jobHash" -}}
{{- list (include "shield.apiEnv" .root) (include "shield.secretSources" (dict "root" .root "database" true)) .root.Chart.Version .root.Chart.AppVersion .root.Release.Service .root.Values.image .root.Values.keys .root.Values.commonLabels .more | toJson | sha256sum | trunc 8 }}
{{- end }}

{{/* Who has which role at the API, of the accounts of this release. */}}
{{- define "shield.apiAccounts" -}}
{{- $full := printf "%s:%s" .Release.Namespace (include "shield.fullname" .) }}
{{- $accounts := list (printf "%s-operator=operator" $full) (printf "%s-pipeline=pipeline" $full) }}
{{- if eq (include "shield.engine" .) "trainjob" }}{{ $accounts = append $accounts (printf "%s-trainjob=pipeline" $full) }}{{ end }}
{{- join "," $accounts }}
{{- end }}

{{/* Environment of the API and of its migration. */}}
{{- define "shield.apiEnv" -}}
- {name: SHIELD_API_JWT_SECRET_FILE, value: /etc/antispam-shield/keys/jwt-secret}
- {name: SHIELD_API_MESSAGE_KEYS, value: /etc/antispam-shield/keys/message-keys.json}
- {name: SHIELD_API_SERVICE_ACCOUNT_AUDIENCE, value: {{ include "shield.audience" . }}}
- {name: SHIELD_API_TOKEN_REVIEW, value: "true"}
- {name: SHIELD_API_SERVICE_ACCOUNTS, value: {{ include "shield.apiAccounts" . | quote }}}
- {name: SHIELD_ROLLOUTS, value: kubernetes}
- {name: SHIELD_ROLLOUTS_NAMESPACE, value: {{ .Release.Namespace }}}
- {name: SHIELD_TRUSTED_KEYS, value: /etc/antispam-shield/trusted}
{{- with .Values.api.rateStorage }}
- {name: SHIELD_API_RATE_STORAGE, value: {{ . | quote }}}
{{- end }}
{{- with .Values.api.trustedProxies }}
- {name: SHIELD_API_TRUSTED_PROXIES, value: {{ join "," . | quote }}}
- {name: SHIELD_API_PROXY_HOPS, value: {{ $.Values.api.proxyHops | quote }}}
{{- end }}
{{ include "shield.artifactsEnv" . }}
{{- if not (include "shield.artifactsSecret" .) }}
- {name: SHIELD_SECRETS, value: /etc/antispam-shield/secrets}
{{- end }}
{{- end }}
