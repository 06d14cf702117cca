import CLibcurl
import Glibc

/// One libcurl transfer and its settings; it belongs to the thread that made it.
///
/// Every setter checks what libcurl says: a limit or a TLS setting that is silently not in force is worse than none
/// (CVE-2024-23656).
@safe
final class EasyHandle {
    /// The C handle, for calls that have no setter here.
    let pointer: UnsafeMutableRawPointer
    /// The lists that libcurl points to but does not copy, by option number.
    private var lists: [UInt32: UnsafeMutablePointer<curl_slist>]
    /// What the callbacks call; they get this object as their user data.
    var callbacks = Callbacks()

    init() throws(CurlError) {
        guard Self.isLibraryReady, let pointer = unsafe curl_easy_init() else {
            throw .unsupported(CurlCode(CURLE_FAILED_INIT))
        }
        unsafe self.pointer = pointer
        unsafe lists = [:]
    }

    deinit {
        unsafe curl_easy_cleanup(pointer)
        unsafe lists.values.forEach { list in unsafe curl_slist_free_all(list) }
    }

    /// Whether the library is set up, which happens once for the process.
    ///
    /// `CURLOPT_NOSIGNAL` also stops libcurl from shielding OpenSSL's writes from SIGPIPE, so the signal is ignored
    /// for the whole process, as a server does anyway.
    static let isLibraryReady: Bool = {
        signal(SIGPIPE, SIG_IGN)
        return curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
    }()

    func set(_ option: CURLoption, _ value: Int) throws(CurlError) {
        try check(unsafe gatepost_easy_set_long(pointer, option, value))
    }

    func set(_ option: CURLoption, _ value: Bool) throws(CurlError) {
        try set(option, value ? 1 : 0)
    }

    func set(_ option: CURLoption, offset value: Int) throws(CurlError) {
        try check(unsafe gatepost_easy_set_offset(pointer, option, Int(value)))
    }

    /// libcurl copies the string.
    func set(_ option: CURLoption, _ value: String) throws(CurlError) {
        try check(unsafe gatepost_easy_set_string(pointer, option, value))
    }

    func set(_ option: CURLoption, list values: [String]) throws(CurlError) {
        var list: UnsafeMutablePointer<curl_slist>?
        for value in values {
            guard let longer = unsafe curl_slist_append(list, value) else {
                unsafe curl_slist_free_all(list)
                throw .unsupported(CurlCode(CURLE_OUT_OF_MEMORY))
            }
            unsafe list = longer
        }
        try check(unsafe gatepost_easy_set_list(pointer, option, list))
        unsafe curl_slist_free_all(lists[option.rawValue])
        unsafe lists[option.rawValue] = list
    }

    /// libcurl copies the bytes.
    func set(postBody bytes: [UInt8]) throws(CurlError) {
        try set(CURLOPT_POSTFIELDSIZE_LARGE, offset: bytes.count)
        let code = unsafe bytes.withUnsafeBytes { buffer in
            unsafe gatepost_easy_set_pointer(
                pointer, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: buffer.baseAddress))
        }
        try check(code)
    }

    func long(_ info: CURLINFO) -> Int {
        var value = 0
        guard unsafe gatepost_easy_get_long(pointer, info, &value) == CURLE_OK else { return 0 }
        return value
    }

    func offset(_ info: CURLINFO) -> Int {
        var value = 0
        guard unsafe gatepost_easy_get_offset(pointer, info, &value) == CURLE_OK else { return 0 }
        return value
    }

    /// Makes every further read from the open connection, if there is one, come back empty at once.
    func stopReading() {
        var descriptor = CURL_SOCKET_BAD
        guard unsafe gatepost_easy_get_socket(pointer, &descriptor) == CURLE_OK, descriptor != CURL_SOCKET_BAD
        else { return }
        shutdown(descriptor, Int32(SHUT_RD))
    }

    /// Does what both protocols want: no signals, no proxy, no credentials from files, certificates checked.
    func setCommonOptions(protocols: String, caBundlePath: String?) throws(CurlError) {
        try set(CURLOPT_NOSIGNAL, true)
        try set(CURLOPT_PROTOCOLS_STR, protocols)
        try set(CURLOPT_FOLLOWLOCATION, false)
        try set(CURLOPT_PROXY, "")
        try set(CURLOPT_NOPROXY, "*")
        try set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        try set(CURLOPT_SSL_VERIFYPEER, true)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try installCallbacks()
        if let caBundlePath { try set(CURLOPT_CAINFO, caBundlePath) }
    }

    func check(_ code: CURLcode) throws(CurlError) {
        guard code == CURLE_OK else { throw .unsupported(CurlCode(code)) }
    }
}
