using Microsoft.Extensions.Logging;

namespace RaftMq.Server.Security;

internal sealed partial class CertificateSource
{
    [LoggerMessage(1301, LogLevel.Information, "Certificate {Path} was read again; it is valid until {NotAfter:u}")]
    private partial void LogReloaded(string path, DateTime notAfter);

    [LoggerMessage(1302, LogLevel.Error, "Certificate {Path} changed but can't be used, the old one stays: {Reason}")]
    private partial void LogNotReloaded(string path, string reason);
}
