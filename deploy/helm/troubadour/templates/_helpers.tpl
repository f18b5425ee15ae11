{{- define "troubadour.labels" -}}
app.kubernetes.io/name: troubadour
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Its data folder: the bot's claim where `claim` is set, else what ends with the pod. */}}
{{- define "troubadour.pod" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
volumes:
  - name: data
    {{- if .claim }}
    persistentVolumeClaim: { claimName: {{ .Release.Name }}-data }
    {{- else }}
    emptyDir: { sizeLimit: {{ .Values.worker.scratch }} }
    {{- end }}
  - name: signing
    secret: { secretName: {{ .Values.signing }} }
  - name: cache
    emptyDir: {}
  - name: tmp
    emptyDir: {}
{{- end }}

{{- define "troubadour.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
envFrom:
  - configMapRef: { name: {{ .Release.Name }}-settings }
  - secretRef: { name: {{ .Values.secret }} }
env:
  - { name: TROUBADOUR_PROVENANCE__CERTIFICATE, value: /etc/troubadour/signing/certificate.pem }
  - { name: TROUBADOUR_PROVENANCE__KEY, value: /etc/troubadour/signing/certificate.key }
volumeMounts:
  - { name: data, mountPath: /var/lib/troubadour }
  - { name: cache, mountPath: /var/cache/troubadour }
  - { name: signing, mountPath: /etc/troubadour/signing, readOnly: true }
  - { name: tmp, mountPath: /tmp }
{{- end }}

{{- define "troubadour.probes" -}}
startupProbe:
  exec: { command: [troubadour, health] }
  periodSeconds: 10
  timeoutSeconds: 20
  failureThreshold: 18
livenessProbe:
  exec: { command: [troubadour, health] }
  periodSeconds: 60
  timeoutSeconds: 20
  failureThreshold: 5
{{- end }}
