import CLibcurl

/// libcurl's number for how a transfer ended (libcurl-errors(3)).
package struct CurlCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    init(_ code: CURLcode) {
        rawValue = code.rawValue
    }

    /// The transfer ended well, whatever the server's answer says.
    package static let ok = CurlCode(CURLE_OK)
    /// Nobody knows an address of the host; nothing was dialled.
    package static let couldNotResolveHost = CurlCode(CURLE_COULDNT_RESOLVE_HOST)
    /// Every address refused, or `isAddressAllowed` did.
    package static let couldNotConnect = CurlCode(CURLE_COULDNT_CONNECT)
    /// The server does not speak the protocol, or said what cannot be read as an answer.
    package static let weirdServerReply = CurlCode(CURLE_WEIRD_SERVER_REPLY)
    /// Our own callback refused what came, because it was too much.
    package static let writeError = CurlCode(CURLE_WRITE_ERROR)
    /// A deadline passed, or the transfer was slower than its least speed.
    package static let timedOut = CurlCode(CURLE_OPERATION_TIMEDOUT)
    /// The server closed the connection without a word.
    package static let nothingReceived = CurlCode(CURLE_GOT_NOTHING)
    /// The connection broke while the request was on its way out.
    package static let sendError = CurlCode(CURLE_SEND_ERROR)
    /// The connection broke while the answer was awaited or on its way in.
    package static let receiveError = CurlCode(CURLE_RECV_ERROR)
    /// The certificate is unknown, or is for another name.
    package static let peerNotVerified = CurlCode(CURLE_PEER_FAILED_VERIFICATION)
    /// TLS was required and the server does not offer it.
    package static let tlsRequired = CurlCode(CURLE_USE_SSL_FAILED)
    /// The relay did not take the name and password.
    package static let loginDenied = CurlCode(CURLE_LOGIN_DENIED)

    /// libcurl's own words, which hold nothing of the transfer.
    package var description: String {
        unsafe String(cString: curl_easy_strerror(CURLcode(rawValue)))
    }
}
