/// What may be registered for a client, whoever asks for it and in whichever way.
package enum ClientRules {
    /// The most characters of a name.
    package static let nameLengthMax = 100
    /// The most redirect URIs that a client has; of web origins and of addresses after a sign-out, too.
    package static let listCountMax = 50

    /// Whether people can be shown a client by this name.
    package static func allows(name: String) -> Bool {
        (1...nameLengthMax).contains(name.unicodeScalars.count) && !name.unicodeScalars.contains("\0")
    }

    /// Whether a list of its addresses is short enough.
    package static func allows(list: some Collection) -> Bool { list.count <= listCountMax }
}
