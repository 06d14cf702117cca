/// The answer to an HTTP request.
package struct HTTPResponse: Sendable {
    /// The final status; interim ones (1xx) are passed over.
    package let status: Int
    /// The header fields in the order they came; repeated ones stay apart, trailers are left out.
    package let headers: [HTTPRequest.Header]
    /// The body as it came: nothing is decompressed.
    package let body: [UInt8]
    /// Whether the body went on beyond `answerBytesMax`.
    package let isTruncated: Bool

    /// The value of the first field of that name, whatever its case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The values of all fields of that name, as for `Set-Cookie`.
    package func headers(named name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    package var text: String { String(decoding: body, as: UTF8.self) }
}
