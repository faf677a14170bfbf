import { signal } from '@preact/signals'

/** This page's clock, epoch milliseconds, once a second: for countdowns and what fades with time. */
export const clockTick = signal(Date.now())
setInterval(() => { clockTick.value = Date.now() }, 1000)
