{{- define "troubadour.labels" -}}
app.kubernetes.io/name: troubadour
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "troubadour.pod" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: { type: RuntimeDefault }
affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "troubadour.labels" . | nindent 12 }}
volumes:
  - name: data
    persistentVolumeClaim: { claimName: {{ .Release.Name }}-data }
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
volumeMounts:
  - { name: data, mountPath: /var/lib/troubadour }
  - { name: cache, mountPath: /var/cache/troubadour }
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
