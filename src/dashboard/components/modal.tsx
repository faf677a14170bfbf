import type { Signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { CloseIcon } from './icons.js'

interface ModalProps { open: Signal<boolean>, title: string, class?: string, children: ComponentChildren }

/** The platform's modal dialog: keeps the focus inside, closes with Escape or a click beside it. */
export function Modal ({ open, title, class: name = '', children }: ModalProps) {
  const ref = useRef<HTMLDialogElement>(null)
  const shown = open.value
  useEffect(() => {
    const dialog = ref.current
    if (shown && !dialog?.open) dialog?.showModal()
    if (!shown && dialog?.open) dialog.close()
  }, [shown])
  return (
    <dialog ref={ref} class={`modal ${name}`} aria-label={title} onClose={() => { open.value = false }} onClick={(event) => { if (event.target === ref.current) open.value = false }}>
      <div class='modal-body'>
        <div class='modal-head'>
          <h2>{title}</h2>
          <button type='button' class='icon-button' aria-label='Close' onClick={() => { open.value = false }}><CloseIcon /></button>
        </div>
        {shown && children}
      </div>
    </dialog>
  )
}
