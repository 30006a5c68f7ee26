namespace RaftMq.Server.Configuration;

/// <summary>How the log is written to standard output.</summary>
internal enum LogFormat
{
    Text,
    Json,
}
