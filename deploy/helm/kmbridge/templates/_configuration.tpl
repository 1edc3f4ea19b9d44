{{/* The configuration as the pods read it: the given one, with where to listen and each pod's own name. */}}
{{- define "kmbridge.document" -}}
{{- $document := deepCopy .Values.config -}}
{{- $shared := $document -}}
{{- if hasKey $document "mirrors" -}}
{{-   $shared = default dict $document.defaults -}}
{{-   $_ := set $document "defaults" $shared -}}
{{- end -}}
{{- $http := dict "listen" (printf "0.0.0.0:%d" (int .Values.http.port)) -}}
{{- if .Values.http.token.secret -}}
{{-   $_ := set $http "token" "${KMBRIDGE_HTTP_TOKEN}" -}}
{{- end -}}
{{- $_ := set $shared "http" $http -}}
{{- $_ := set $shared "workers" (mergeOverwrite (default dict $shared.workers) (dict "instance" "${POD_NAME}")) -}}
{{- toYaml $document -}}
{{- end -}}

{{/*
The mirrors, a JSON list: each entry over the defaults. Of a section that chooses one of its keys the entry's choice holds.
One without a name is of a pattern, by which it is called.
*/}}
{{- define "kmbridge.mirrors" -}}
{{- $config := .Values.config -}}
{{- $found := list -}}
{{- if hasKey $config "mirrors" -}}
{{-   range $entry := $config.mirrors -}}
{{-     $mirror := mergeOverwrite (deepCopy (default dict $config.defaults)) (deepCopy $entry) -}}
{{-     range $section := list "source" "sink" "checkpoints" "dead_letter" -}}
{{-       $chosen := get $entry $section -}}
{{-       if kindIs "map" $chosen -}}
{{-         range $key := keys (get $mirror $section) -}}
{{-           if not (hasKey $chosen $key) -}}
{{-             $_ := unset (get $mirror $section) $key -}}
{{-           end -}}
{{-         end -}}
{{-       end -}}
{{-     end -}}
{{-     $found = append $found $mirror -}}
{{-   end -}}
{{- else -}}
{{-   $found = list (deepCopy $config) -}}
{{- end -}}
{{- range $found -}}
{{-   if not .name -}}
{{-     $source := default dict .source -}}
{{-     $_ := set . "name" (dig "kinesis" "stream" (dig "kafka" "topic" "a mirror" $source) $source) -}}
{{-   end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{/* Names of the mirrors whose partitions several pods cannot share, with the reason; empty where all can. */}}
{{- define "kmbridge.unshared" -}}
{{- range (include "kmbridge.mirrors" . | fromJsonArray) -}}
{{-   $place := default "auto" .checkpoints -}}
{{-   $kafka := or (hasKey (default dict .sink) "kafka") (hasKey (default dict .source) "kafka") -}}
{{-   $shared := ternary (and (eq (toString $place) "auto") $kafka) (hasKey (ternary dict $place (kindIs "string" $place)) "kafka") (kindIs "string" $place) -}}
{{-   if not $shared -}}
{{-     printf "%v (checkpoints: %v) " .name (ternary $place (keys (ternary dict $place (kindIs "string" $place)) | join ",") (kindIs "string" $place)) -}}
{{-   end -}}
{{- end -}}
{{- end -}}

{{/* Of each mirror from a topic the group whose offsets tell how far it is, a JSON list: its own where these are the checkpoints. */}}
{{- define "kmbridge.sourceGroups" -}}
{{- $found := list -}}
{{- range (include "kmbridge.mirrors" . | fromJsonArray) -}}
{{-   if hasKey (default dict .source) "kafka" -}}
{{-     $own := and (eq (toString (default "auto" .checkpoints)) "auto") (hasKey (default dict .sink) "kinesis") -}}
{{-     $group := printf "kmbridge-%s%s" .name (ternary "" "-source" $own) -}}
{{-     $servers := default (default list .source.kafka.bootstrap_servers) $.Values.autoscaling.kafkaLag.bootstrapServers -}}
{{-     $found = append $found (dict "mirror" .name "group" $group "topic" .source.kafka.topic "servers" $servers) -}}
{{-   end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{/* Names of the mirrors that keep something in a file: checkpoints, or dead letters. */}}
{{- define "kmbridge.files" -}}
{{- range (include "kmbridge.mirrors" . | fromJsonArray) -}}
{{-   $place := default "auto" .checkpoints -}}
{{-   $kafka := or (hasKey (default dict .sink) "kafka") (hasKey (default dict .source) "kafka") -}}
{{-   $sqlite := ternary (and (eq (toString $place) "auto") (not $kafka)) (hasKey (ternary dict $place (kindIs "string" $place)) "sqlite") (kindIs "string" $place) -}}
{{-   if or $sqlite (hasKey (default dict .dead_letter) "file") -}}
{{-     printf "%v " .name -}}
{{-   end -}}
{{- end -}}
{{- end -}}

{{/* Paths of keys that hold a secret in plain text. Takes a dict of value and path. */}}
{{- define "kmbridge.plainSecrets" -}}
{{- $path := .path -}}
{{- if kindIs "map" .value -}}
{{-   range $key, $value := .value -}}
{{-     include "kmbridge.plainSecrets" (dict "value" $value "path" (append $path $key)) -}}
{{-   end -}}
{{- else if kindIs "slice" .value -}}
{{-   range $index, $value := .value -}}
{{-     include "kmbridge.plainSecrets" (dict "value" $value "path" (append $path (toString $index))) -}}
{{-   end -}}
{{- else if and .value (regexMatch "(?i)(password|passphrase|secret|token|jaas|jaas\\.config|key\\.pem)$" (last $path)) (not (regexMatch "^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$" (toString .value))) -}}
{{-   printf "%s " (join "." $path) -}}
{{- end -}}
{{- end -}}

{{/* Refuses what would run, but not as meant. */}}
{{- define "kmbridge.check" -}}
{{- $plain := include "kmbridge.plainSecrets" (dict "value" .Values.config "path" (list "config")) -}}
{{- if $plain -}}
{{-   fail (printf "%sin plain text would be readable in a ConfigMap: write ${NAME} and name its Secret in secrets.env" $plain) -}}
{{- end -}}
{{- $several := ternary (gt (int .Values.replicas) 1) (gt (int .Values.autoscaling.maxReplicas) 1) (eq .Values.autoscaling.kind "none") -}}
{{- if and $several (eq .Values.mode "run") -}}
{{-   with include "kmbridge.unshared" . -}}
{{-     fail (printf "replicas: %sis for one worker: set replicas to 1, or checkpoints to kafka: {…}" .) -}}
{{-   end -}}
{{-   with include "kmbridge.files" . -}}
{{-     fail (printf "replicas: dead letters of %sare in a file, which only one pod can have: use a topic or a stream" .) -}}
{{-   end -}}
{{- end -}}
{{- if and (eq .Values.mode "backfill") (gt (len (include "kmbridge.mirrors" . | fromJsonArray)) 1) (not .Values.backfill.mirror) -}}
{{-   fail "backfill.mirror: the name of the mirror to copy; a backfill is of one" -}}
{{- end -}}
{{- if eq .Values.autoscaling.kind "keda" -}}
{{-   if not (or .Values.autoscaling.prometheus .Values.autoscaling.kafkaLag.records) -}}
{{-     fail "autoscaling.prometheus: the address of the Prometheus that scrapes the mirror, as http://prometheus.monitoring:9090; or autoscaling.kafkaLag.records, for a source that is a topic" -}}
{{-   end -}}
{{-   $groups := include "kmbridge.sourceGroups" . | fromJsonArray -}}
{{-   if and .Values.autoscaling.kafkaLag.records (not $groups) -}}
{{-     fail "autoscaling.kafkaLag: no source is a topic; autoscaling.prometheus is for streams" -}}
{{-   end -}}
{{-   range $groups -}}
{{-     if and $.Values.autoscaling.kafkaLag.records (not .servers) -}}
{{-       fail (printf "autoscaling.kafkaLag.bootstrapServers: the brokers of mirror %s, whose configuration has none" .mirror) -}}
{{-     end -}}
{{-   end -}}
{{- end -}}
{{- end -}}
