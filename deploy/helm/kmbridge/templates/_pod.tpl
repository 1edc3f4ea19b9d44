{{/* The pod of both the StatefulSet and the Job. Takes a dict of root, args and restartPolicy. */}}
{{- define "kmbridge.pod" -}}
{{- $root := .root -}}
{{- with $root.Values -}}
serviceAccountName: {{ include "kmbridge.serviceAccount" $root }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .terminationGracePeriodSeconds }}
{{- with $.restartPolicy }}
restartPolicy: {{ . }}
{{- end }}
{{- with .image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext: {{ toYaml .podSecurityContext | nindent 2 }}
{{- if kindIs "invalid" .topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range tuple "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "kmbridge.selector" $root | nindent 8 }}
  {{- end }}
{{- else }}
{{- with .topologySpreadConstraints }}
topologySpreadConstraints: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}
containers:
  - name: kmbridge
    image: {{ include "kmbridge.image" $root }}
    imagePullPolicy: {{ .image.pullPolicy }}
    args: {{ toYaml $.args | nindent 6 }}
    workingDir: /var/lib/kmbridge
    env:
      - name: POD_NAME
        valueFrom: {fieldRef: {fieldPath: metadata.name}}
      {{- if .http.token.secret }}
      - name: KMBRIDGE_HTTP_TOKEN
        valueFrom: {secretKeyRef: {name: {{ .http.token.secret }}, key: {{ .http.token.key }}}}
      {{- end }}
      {{- range $name, $place := .secrets.env }}
      - name: {{ $name }}
        valueFrom: {secretKeyRef: {name: {{ $place.secret }}, key: {{ $place.key }}}}
      {{- end }}
      {{- with .extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- with .secrets.envFrom }}
    envFrom:
      {{- range . }}
      - secretRef: {name: {{ . }}}
      {{- end }}
    {{- end }}
    ports:
      - {name: http, containerPort: {{ .http.port }}}
    {{- range $probe, $path := dict "startup" "/healthz" "liveness" "/healthz" "readiness" "/readyz" }}
    {{- if not (and (eq $probe "readiness") (eq $root.Values.mode "backfill")) }}
    {{ $probe }}Probe:
      httpGet: {path: {{ $path }}, port: http}
      {{- toYaml (get $root.Values.probes $probe) | nindent 6 }}
    {{- end }}
    {{- end }}
    resources: {{ toYaml .resources | nindent 6 }}
    securityContext: {{ toYaml .securityContext | nindent 6 }}
    volumeMounts:
      - {name: config, mountPath: /etc/kmbridge, readOnly: true}
      - {name: state, mountPath: /var/lib/kmbridge}
      - {name: tmp, mountPath: /tmp}
      {{- if .secrets.csi.secretProviderClass }}
      - {name: secrets, mountPath: {{ .secrets.csi.mountPath }}, readOnly: true}
      {{- end }}
      {{- with .extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: config
    configMap: {name: {{ include "kmbridge.fullname" $root }}}
  - name: state
    {{- if include "kmbridge.files" $root }}
    persistentVolumeClaim: {claimName: {{ include "kmbridge.fullname" $root }}-state}
    {{- else }}
    emptyDir: {}
    {{- end }}
  - name: tmp
    emptyDir: {}
  {{- if .secrets.csi.secretProviderClass }}
  - name: secrets
    csi:
      driver: secrets-store.csi.k8s.io
      readOnly: true
      volumeAttributes: {secretProviderClass: {{ .secrets.csi.secretProviderClass }}}
  {{- end }}
  {{- with .extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "kmbridge.podMetadata" -}}
labels:
  {{- include "kmbridge.labels" . | nindent 2 }}
  {{- with .Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  checksum/config: {{ include "kmbridge.document" . | sha256sum }}
  {{- with .Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
