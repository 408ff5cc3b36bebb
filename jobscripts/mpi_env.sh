# shellcheck shell=bash
# Sourced by every script that starts MPI: what Open MPI needs in a container or on a small machine.
# Values that the caller has set stay; other MPI libraries ignore these names.

# Root is the usual user of a container; mpirun refuses it without both.
export OMPI_ALLOW_RUN_AS_ROOT=${OMPI_ALLOW_RUN_AS_ROOT:-1}
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=${OMPI_ALLOW_RUN_AS_ROOT_CONFIRM:-1}
# More ranks than cores is right for a first try and for tests.
export OMPI_MCA_rmaps_base_oversubscribe=${OMPI_MCA_rmaps_base_oversubscribe:-1}
# Containers forbid process_vm_readv, which the shared-memory transport would complain about.
export OMPI_MCA_btl_vader_single_copy_mechanism=${OMPI_MCA_btl_vader_single_copy_mechanism:-none}
