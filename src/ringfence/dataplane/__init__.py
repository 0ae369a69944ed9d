"""From meaning to nftables, as data: plan, compile, render, compare, simulate, attribute."""
