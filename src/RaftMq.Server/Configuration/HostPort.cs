using System.Globalization;

namespace RaftMq.Server.Configuration;

/// <summary>A place in the network as the operator writes it: <c>host:port</c>, IPv6 addresses in brackets.</summary>
internal sealed record HostPort(string Host, int Port)
{
    public bool IsAnyAddress => Host is "0.0.0.0" or "::" or "*";

    /// <exception cref="FormatException">Says what is wrong, as the end of a sentence.</exception>
    public static HostPort Parse(string text)
    {
        int colon = text.LastIndexOf(':');
        string host = colon > 0 ? text[..colon] : "";
        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
        }
        else if (host.Contains(':'))
        {
            throw new FormatException($"'{text}' is an IPv6 address without brackets: write [address]:port");
        }

        if (host.Length == 0 || host.Any(c => char.IsWhiteSpace(c) || c is '/' or '@' or ','))
        {
            throw new FormatException($"'{text}' is not host:port");
        }

        if (!int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int port) || port > 65_535)
        {
            throw new FormatException($"'{text}' does not end in a port between 0 and 65535");
        }

        return new HostPort(host, port);
    }

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
