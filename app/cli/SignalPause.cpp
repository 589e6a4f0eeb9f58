#include "cli/SignalPause.h"

#include "cli/Arguments.h"

#include <cstdio>
#include <unistd.h>

namespace causeway::cli {

SignalPause::SignalPause()
{
    sigemptyset(&m_set);
    sigaddset(&m_set, SIGINT);
    sigaddset(&m_set, SIGTERM);
    sigaddset(&m_set, SIGHUP);  // a closed terminal is no reason to die in the middle
    sigaddset(&m_set, SIGUSR1); // ends the waiting thread
    pthread_sigmask(SIG_BLOCK, &m_set, nullptr);
}

void SignalPause::attach(Migration *migration)
{
    m_thread = std::jthread([this, migration](std::stop_token stop) {
        int asked = 0;
        for (;;) {
            int signal = 0;
            sigwait(&m_set, &signal);
            if (stop.stop_requested())
                return;
            if (signal == SIGUSR1)
                continue;
            if (++asked > 1)
                ::_exit(Exit::Failed);
            m_paused = true;
            std::fputs("\ncauseway-cli: pausing ... (once more ends it at once; it can be gone on "
                       "with either way)\n",
                       stderr);
            migration->post(command::Pause{});
        }
    });
}

void SignalPause::detach()
{
    if (!m_thread.joinable())
        return;
    m_thread.request_stop();
    pthread_kill(m_thread.native_handle(), SIGUSR1);
    m_thread.join();
}

} // namespace causeway::cli
