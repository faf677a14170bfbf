import { Type, type Static } from 'typebox'

/** The gear shown on the dashboard; `N/N` at first. */
export const Gear = Type.Object({
  currentGear: Type.String({ minLength: 1, maxLength: 16, examples: ['N/N', '3'] })
}, { additionalProperties: false })
export type Gear = Static<typeof Gear>

/** The engine lamp's colour: a CSS colour by name, hexadecimal, rgb() or hsl(). */
export const EngineIcon = Type.Object({
  color: Type.String({
    maxLength: 64,
    pattern: '^(#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,30}|(rgb|hsl)a?\\([0-9.,%/ deg-]{1,50}\\))$',
    examples: ['#ff0000', 'rgb(51, 51, 51)']
  })
}, { additionalProperties: false })
export type EngineIcon = Static<typeof EngineIcon>
