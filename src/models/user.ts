import { type Connection, type HydratedDocument, type Model, Schema } from 'mongoose'
import { hashPassword, verifyPassword, type PasswordVerdict } from '../identity/passwords.js'
import { roles, type Role } from '../identity/roles.js'
import { newId } from './new-id.js'

/** A person. Their password is only known as a hash, which queries leave out unless they ask for it. */
export interface UserRecord {
  _id: string
  name: string
  email: string
  /** The address as it is compared: lower case, NFKC. */
  emailKey: string
  role: Role
  passwordHash?: string | null
  /** Set on the first account alone, which the unique index makes sure of. */
  founder?: true
  createdAt: Date
  updatedAt: Date
}

export interface UserMethods {
  /** Hashes a password onto the document, which still has to be saved. */
  setPassword (password: string): Promise<void>
  /** Checks a password; needs the hash to have been selected. */
  verifyPassword (password: string): Promise<PasswordVerdict>
}

export type UserModel = Model<UserRecord, object, UserMethods>
export type UserDocument = HydratedDocument<UserRecord, UserMethods>

/** The form in which email addresses are compared. */
export const toEmailKey = (email: string): string => email.normalize('NFKC').toLowerCase()

export function userModel (connection: Connection): UserModel {
  const schema = new Schema<UserRecord, UserModel, UserMethods>({
    _id: { type: String, default: newId },
    name: { type: String, required: true },
    email: { type: String, required: true },
    emailKey: { type: String, required: true, unique: true },
    role: { type: String, enum: roles, required: true, default: 'viewer' },
    passwordHash: { type: String, select: false },
    founder: { type: Boolean, select: false, index: { unique: true, sparse: true } }
  }, { timestamps: true, versionKey: false, minimize: false, collection: 'users' })
  schema.methods.setPassword = async function (password) {
    this.passwordHash = await hashPassword(password)
  }
  schema.methods.verifyPassword = async function (password) {
    return await verifyPassword(this.passwordHash, password)
  }
  return connection.model<UserRecord, UserModel>('User', schema)
}
