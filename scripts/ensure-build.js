// Runs before `npm start` and `npm test`: builds what is missing or older than its sources.
import { isBuildCurrent } from './build-state.js'

if (!isBuildCurrent()) {
  console.log('Building the server and the dashboard')
  await import('./prepare.js')
}
