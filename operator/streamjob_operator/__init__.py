"""The operator: watches StreamJobs and StreamResources and keeps driver pods as they ask."""
