"""Reverse-proxy core: one upstream exchange streamed to one client in bounded memory.

How it works, and what was measured on the way:

- Back-pressure: libcurl's own callbacks fill a buffer and pause the transfer when it is full. To
  pause from outside reacts too late: gigabytes arrive before libcurl stops.
- While the client takes every write at once, the callbacks join the pieces and write a batch
  themselves. A task that is woken for each batch filled every buffer before any was written: with
  50 clients nothing stayed in the processor's cache. While a write waits for the client, little is
  buffered. Active transfers share one byte budget for each turn of the event loop.
- What glibc's allocator did to each batch is in `portal.process.heap`.
- Abort: when a client leaves, the pause state is changed, so that libcurl looks at the transfer,
  and the progress callback ends it.
- Tornado does not read from a client that has sent more than its request, so it does not see that
  it leaves; `portal.relay.departures` asks the kernel.
- Stall: a client is stalled when the kernel's count of unacknowledged bytes stops moving, not when
  a write takes long.
- When the upstream breaks off, the client's connection is closed, so that a short file is never
  taken for a whole one.
- An upload is fed piece by piece. One of up to 1 MiB is kept in memory, so that it can be sent
  again when a pooled connection turns out to be closed.
"""
