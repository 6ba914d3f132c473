{{/* Names and labels. */}}

{{- define "sasld.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
What all objects are called: the release's name, with the chart's unless it is in there. 48 characters, as a StatefulSet's pods
carry it with a hash after it in a label of 63.
*/}}
{{- define "sasld.fullname" -}}
{{- $name := include "sasld.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 48 | trimSuffix "-" }}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 48 | trimSuffix "-" }}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 48 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{/* By which the server's pod is found. Never changes in a release. */}}
{{- define "sasld.selector" -}}
app.kubernetes.io/name: {{ include "sasld.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end }}

{{/* Of every object. Wants (dict "root" $ "component" "server"). */}}
{{- define "sasld.labels" -}}
app.kubernetes.io/name: {{ include "sasld.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: sasld
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Settings as a container's variables, none of which may be twice. */}}
{{- define "sasld.env" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* What sasld.toml and adapter.toml are: also hashed, so that a change starts the pods anew. */}}
{{- define "sasld.config" -}}
# sasld's configuration in a cluster. What is left out is as sasld.toml(5) says; .Values.settings are in the environment.

[store]
url = "sqlite:/var/lib/sasld/sasld.db"

[keys]
file = "/var/lib/sasld/sasld.key"

[listen]
sasl = ["unix:/run/sasld/sasl.sock", "[::]:{{ .Values.service.port }}"]
sasl_mode = "0600"
admin = ["unix:/run/sasld/admin.sock"]

[listen.tls]
certificate = "/etc/sasld/tls/tls.crt"
key = "/etc/sasld/tls/tls.key"
client_ca = "/etc/sasld/tls/ca.crt"

[hashing]
memory_mib = {{ .Values.hashing.memoryMib }}
{{- end }}
