{{/*
For the pods of your own Postfix. In a chart that depends on this one, call each with .Subcharts.sasld; README.md
shows a whole pod.
*/}}

{{- define "sasld.adapter.config" -}}
# sasld-adapter's configuration. What is left out is as sasld-adapter.toml(5) says; .Values.adapter.settings are in the
# environment.

[server]
addresses = {{ default (list (printf "%s:%v" (include "sasld.fullname" .) .Values.service.port)) .Values.adapter.addresses | toJson }}

[server.tls]
ca = "/etc/sasld/tls/ca.crt"
certificate = "/etc/sasld/tls/tls.crt"
key = "/etc/sasld/tls/tls.key"

[[listen]]
protocol = "dovecot-auth"
path = "/run/sasld-adapter/auth"
mode = "0660"
group = {{ .Values.adapter.postfixGid | toString | quote }}
{{- end }}

{{/* Labels of the pod: by the first it is let through to sasld. */}}
{{- define "sasld.adapter.podLabels" -}}
{{ include "sasld.fullname" . }}-client: "true"
{{- end }}

{{/* Annotations of the pod: a changed configuration starts it anew. */}}
{{- define "sasld.adapter.podAnnotations" -}}
checksum/sasld-adapter-config: {{ include "sasld.adapter.config" . | sha256sum }}
{{- end }}

{{/* The item of initContainers. restartPolicy makes it a sidecar: Postfix starts when the startup probe has passed, and ends first. */}}
{{- define "sasld.adapter.container" -}}
{{- $health := list "/usr/sbin/sasld-adapter" "health" "--config" "/etc/sasld/adapter.toml" -}}
- name: sasld-adapter
  restartPolicy: Always
  image: {{ printf "%s:%s" .Values.adapter.image.repository (default .Chart.AppVersion .Values.adapter.image.tag) | quote }}
  imagePullPolicy: {{ .Values.adapter.image.pullPolicy }}
  command: [/usr/sbin/sasld-adapter]
  args: [--config, /etc/sasld/adapter.toml]
  {{- if or .Values.adapter.settings .Values.metrics.enabled }}
  env:
    {{- if .Values.metrics.enabled }}
    - name: SASLD_ADAPTER_METRICS_LISTEN
      value: "[::]:{{ .Values.metrics.adapterPort }}"
    {{- end }}
    {{- with .Values.adapter.settings }}
    {{- include "sasld.env" . | nindent 4 }}
    {{- end }}
  {{- end }}
  {{- if .Values.metrics.enabled }}
  ports:
    - name: sasld-metrics
      containerPort: {{ .Values.metrics.adapterPort }}
      protocol: TCP
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10002
    runAsGroup: {{ .Values.adapter.postfixGid }}
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities:
      drop: [ALL]
    seccompProfile:
      type: RuntimeDefault
  startupProbe:
    exec:
      command: {{ toJson $health }}
    periodSeconds: 1
    timeoutSeconds: 5
    failureThreshold: 60
  readinessProbe:
    exec:
      command: {{ .Values.adapter.readinessAsksSasld | ternary (append $health "--ready") $health | toJson }}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 2
  livenessProbe:
    exec:
      command: {{ toJson $health }}
    periodSeconds: 20
    timeoutSeconds: 5
    failureThreshold: 3
  resources:
    {{- toYaml .Values.adapter.resources | nindent 4 }}
  volumeMounts:
    - name: sasld-socket
      mountPath: /run/sasld-adapter
    - name: sasld-adapter-config
      mountPath: /etc/sasld/adapter.toml
      subPath: adapter.toml
      readOnly: true
    - name: sasld-adapter-tls
      mountPath: /etc/sasld/tls
      readOnly: true
{{- end }}

{{/* Items of the pod's volumes. */}}
{{- define "sasld.adapter.volumes" -}}
- name: sasld-socket
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
- name: sasld-adapter-config
  configMap:
    name: {{ include "sasld.fullname" . }}-adapter-config
# It belongs to root, and without an fsGroup nobody else reads it but by this mode. Mounted by the adapter's container alone.
- name: sasld-adapter-tls
  secret:
    secretName: {{ .Values.adapter.tls.secretName }}
    defaultMode: 0444
{{- end }}

{{/* The item of volumeMounts of Postfix's container: smtpd_sasl_path = sasld/auth */}}
{{- define "sasld.adapter.socketMount" -}}
- name: sasld-socket
  mountPath: /var/spool/postfix/sasld
  readOnly: true
{{- end }}
