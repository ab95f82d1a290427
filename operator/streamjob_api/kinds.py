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
# Values of the component label: a job's driver and its executors, and the short-lived check of an OU's connections.
DRIVER, EXECUTOR, CHECK = "driver", "executor", "check"
PODS_SELECTOR = f"{COMPONENT_LABEL} in ({DRIVER},{EXECUTOR},{CHECK})"
SPEC_HASH_ANNOTATION = f"{GROUP}/spec-hash"
CU_ANNOTATION = f"{GROUP}/cu"
# Of the driver of a Cluster job: how many executors it is to have.
WORKERS_ANNOTATION = f"{GROUP}/workers"
# Of an executor: its owner is its driver's pod.
JOB_UID_ANNOTATION = f"{GROUP}/job-uid"
# Points, separated by commas, which no name has.
CALCULATED_ANNOTATION = f"{GROUP}/calculated-inputs"
