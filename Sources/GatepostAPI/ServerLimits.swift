/// What a caller may use of the server, before anything is known of them.
enum ServerLimits {
    /// The largest body; the longest legitimate one is a sign-in of a few hundred bytes.
    static let bodyBytesMax = 64 * 1024
    /// How deep a JSON body may nest.
    static let jsonDepthMax = 16
    /// Parameters in one form.
    static let formFieldsMax = 32
    /// One header field, name and value.
    static let headerFieldBytesMax = 16 * 1024
    /// All header fields of a request.
    static let headerBytesMax = 32 * 1024
    /// How many header fields a request may have.
    static let headerFieldsMax = 100
    /// How long a connection may be silent.
    ///
    /// Before a request's header is complete, between two parts of its body, between two requests. A header that
    /// drips in has this long in all, since only whole parts count as a sign of life.
    static let idleTimeoutSeconds: Int64 = 30
    /// Open connections; past that new ones wait in the listen queue.
    static let connectionsMax = 10_000
    /// Connections that may wait to be accepted.
    static let backlog = 1024
}
