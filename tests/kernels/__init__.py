"""Other kernels, in virtual machines, and other versions of nft."""
