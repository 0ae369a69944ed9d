"""What ``make bench`` runs."""

from bench.list_cluster import main

main()
