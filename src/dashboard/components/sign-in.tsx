import { useSignal } from '@preact/signals'
import { connection } from '../state/connection.js'
import { enter, startSession } from '../state/session.js'
import { signInOpen } from '../state/view.js'
import { AlertIcon, LogoMark } from './icons.js'
import { Modal } from './modal.js'

/** E-mail and password; the server's own words when it refuses. */
function SignInForm () {
  const failure = useSignal('')
  const busy = useSignal(false)
  const submit = (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    busy.value = true
    failure.value = ''
    enter(String(form.get('email')), String(form.get('password')))
      .then(() => { signInOpen.value = false })
      .catch((error: unknown) => { failure.value = error instanceof Error ? error.message : String(error) })
      .finally(() => { busy.value = false })
  }
  return (
    <form class='sign-in-form' onSubmit={submit}>
      <label>E-mail<input name='email' type='email' required autocomplete='username' inputMode='email' /></label>
      <label>Password<input name='password' type='password' required autocomplete='current-password' /></label>
      <div role='alert'>{failure.value !== '' && <p class='form-error'><AlertIcon critical />{failure}</p>}</div>
      <button type='submit' class='button primary' disabled={busy.value}>{busy.value ? 'Signing in…' : 'Sign in'}</button>
    </form>
  )
}

/** The whole page while nobody is signed in and visitors see nothing. */
export function SignInPage () {
  return (
    <main class='sign-in-page'>
      <section class='panel sign-in' aria-labelledby='sign-in-title'>
        <LogoMark />
        <h1 id='sign-in-title'>Sign in to Pitwall</h1>
        <p>This server shows its vehicles to people it knows.</p>
        <SignInForm />
      </section>
    </main>
  )
}

/** The whole page for someone who is known but may not read. */
export function ForbiddenPage () {
  return (
    <main class='sign-in-page'>
      <section class='panel sign-in' aria-labelledby='forbidden-title'>
        <span class='forbidden-mark'><AlertIcon critical /></span>
        <h1 id='forbidden-title'>Not allowed</h1>
        <p>{connection.value.reason || 'This account may not read live data.'}</p>
        <p>Ask an administrator for the scope <code>read</code>, or sign in as someone who has it.</p>
        <div class='form-actions'>
          <button type='button' class='button primary' onClick={() => { signInOpen.value = true }}>Sign in</button>
          <button type='button' class='button' onClick={startSession}>Try again</button>
        </div>
      </section>
    </main>
  )
}

/** For visitors, who may look without signing in. */
export const SignInDialog = () => <Modal open={signInOpen} title='Sign in'><SignInForm /></Modal>
