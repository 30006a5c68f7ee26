using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace RaftMq.Raft;

/// <summary>
/// Checks that stay on in production. A broken invariant is a bug of ours: the process ends itself with a readable report and the
/// violation is never caught and carried on.
/// </summary>
public static class Invariant
{
    /// <exception cref="InvariantViolationException">The condition does not hold; the message is the condition as written.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    [StackTraceHidden]
    public static void Holds(
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string expression = "",
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        if (!condition)
        {
            Broken(expression, file, line);
        }
    }

    [DoesNotReturn]
    [StackTraceHidden]
    private static void Broken(string expression, string file, int line) =>
        throw new InvariantViolationException($"Invariant broken: {expression} ({Path.GetFileName(file)}:{line})");
}

/// <summary>A bug of ours was found at run time. The process must stop; continuing could break a promise.</summary>
public sealed class InvariantViolationException : Exception
{
    public InvariantViolationException(string message)
        : base(message)
    {
    }

    public InvariantViolationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public InvariantViolationException()
    {
    }
}
