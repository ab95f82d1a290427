"""Names of the API: group, version, kinds, labels."""

GROUP = "streamjob.dev"
VERSION = "v1beta1"
API_VERSION = f"{GROUP}/{VERSION}"
STREAM_JOB = "StreamJob"
STREAM_RESOURCE = "StreamResource"
STREAM_JOBS = "streamjobs"
STREAM_RESOURCES = "streamresources"
CATEGORY = "streaming"

# Longest name of a StreamJob: "<name>-<attempt>-driver" and label values stay within 63 characters.
MAX_JOB_NAME = 46

JOB_LABEL = f"{GROUP}/job"
ATTEMPT_LABEL = f"{GROUP}/attempt"
EPOCH_LABEL = f"{GROUP}/epoch"
COMPONENT_LABEL = f"{GROUP}/component"
SPEC_HASH_ANNOTATION = f"{GROUP}/spec-hash"
CU_ANNOTATION = f"{GROUP}/cu"
# Points, separated by commas, which no name has.
CALCULATED_ANNOTATION = f"{GROUP}/calculated-inputs"
