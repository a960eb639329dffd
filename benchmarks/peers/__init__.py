"""The same trainings written with other tools, each as its users write it; see training.py beside this folder."""
