"""Durable jobs: a log that is the truth, a process of its own for each job, a supervisor that starts what is queued."""

from llmuses.jobs.log import Job as Job
from llmuses.jobs.log import JobLog as JobLog
from llmuses.jobs.log import JobStatus as JobStatus
from llmuses.jobs.supervisor import Supervisor as Supervisor
