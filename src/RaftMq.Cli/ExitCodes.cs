namespace RaftMq.Cli;

/// <summary>What the command says with its exit code, for scripts; listed in docs/cli.md.</summary>
internal static class ExitCodes
{
    /// <summary>Done as asked.</summary>
    public const int Done = 0;

    /// <summary>The cluster refused, or what was checked does not hold: a record is missing, a promise broke in the simulator, data is damaged.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>No node answers, or none in time.</summary>
    public const int Unreachable = 3;

    /// <summary>There is no such topic, partition or group.</summary>
    public const int NotFound = 4;

    /// <summary><c>up</c>: a port is taken.</summary>
    public const int PortTaken = 10;

    /// <summary><c>up</c>, <c>doctor</c>: another process uses the data folder.</summary>
    public const int FolderInUse = 11;

    /// <summary><c>up</c>: the disk has too little room, or the folder can't be written; <c>doctor</c>: it can't be read.</summary>
    public const int NoRoom = 12;

    /// <summary><c>up</c>: the .NET SDK is missing or too old.</summary>
    public const int WrongSdk = 13;

    /// <summary><c>up</c>: the server does not build, or is not beside the command.</summary>
    public const int NoServer = 14;

    /// <summary><c>up</c>: a node can't start on its data or configuration, an old data format included; <c>doctor</c>: another data format.</summary>
    public const int NodeCannotStart = 15;

    /// <summary><c>up</c>: the system is not Linux.</summary>
    public const int UnsupportedSystem = 16;

    /// <summary>Ended by a signal before the work was done.</summary>
    public const int Interrupted = 130;
}
